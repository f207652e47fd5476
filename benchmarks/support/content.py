"""A site full of posts, written in bulk; a post's facts follow from its number alone.

All facts repeat every `PERIOD` posts, but for the date and the address.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.models import (
    Author,
    Kind,
    Media,
    MediaFile,
    Post,
    Site,
    Status,
    Topic,
    post_author,
    post_topic,
)
from app.publishing.text import Rendered, render

END = datetime(2026, 6, 1, 9, tzinfo=UTC)
"""When the newest post came out."""

TOPICS = 40
AUTHORS = 20
COVERS = 10
PERIOD = 40
WIDTHS = (480, 960, 1920)
SENTENCE = "The committee met at noon and agreed on the *second* of three [drafts](/archive). "
_CHUNK = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Volume:
    """How much there is: posts, the time between two of them, sentences in a paragraph."""

    posts: int
    step: timedelta = timedelta(hours=20)
    sentences: int = 8

    def published_at(self, number: int) -> datetime:
        """When a post came out; the last one at the end."""
        return END - (self.posts - number) * self.step


def slug(number: int) -> str:
    """The address of a post."""
    return f"story-{number:06}"


def topics_of(number: int) -> list[int]:
    """What a post is about: every fourth has two topics."""
    first = number % TOPICS + 1
    return [first, (number + 7) % TOPICS + 1] if number % 4 == 0 else [first]


def authors_of(number: int) -> list[int]:
    """Who wrote a post: every eighth has two authors."""
    first = number % AUTHORS + 1
    return [first, (number + 3) % AUTHORS + 1] if number % 8 == 0 else [first]


def body(sentences: int, remark: str = "") -> str:
    """A text with three headings; a remark stands in its last paragraph, below the fold."""
    parts = [SENTENCE * sentences]
    parts += [f"## Part {part}\n\n{SENTENCE * sentences}" for part in ("one", "two", "three")]
    return "\n\n".join([*parts, f"And so it ended. {remark}"])


def fill(app: Flask, volume: Volume) -> None:
    """Write everything, in few transactions."""
    with app.app_context():
        for table, rows in _small(volume):
            _write(table, rows)
        _write(Post.__table__, _posts(volume))
        numbers = range(1, volume.posts + 1)
        for table, column, chosen in (
            (post_topic, "topic_id", topics_of),
            (post_author, "author_id", authors_of),
        ):
            _write(
                table,
                (
                    {"post_id": number, column: other, "position": position}
                    for number in numbers
                    for position, other in enumerate(chosen(number))
                ),
            )
        db.session.remove()


def _write(table: Any, rows: Iterator[dict[str, Any]]) -> None:
    with db.engine.begin() as connection:
        chunk: list[dict[str, Any]] = []
        for row in rows:
            chunk.append(row)
            if len(chunk) == _CHUNK:
                connection.execute(sa.insert(table), chunk)
                chunk = []
        if chunk:
            connection.execute(sa.insert(table), chunk)


def _small(volume: Volume) -> Iterator[tuple[Any, Iterator[dict[str, Any]]]]:
    site = {"id": 1, "title": "The Broadsheet", "tagline": "All of it", "description": "News."}
    yield Site.__table__, iter([{**site, "language": "en", "version": 1}])
    yield (
        Topic.__table__,
        (
            {"id": n, "slug": f"topic-{n}", "name": f"Topic {n}", "description": "What it is."}
            for n in range(1, TOPICS + 1)
        ),
    )
    yield (
        Author.__table__,
        (
            {"id": n, "slug": f"author-{n}", "name": f"Author {n}", **_BIOGRAPHY}
            for n in range(1, AUTHORS + 1)
        ),
    )
    created = volume.published_at(1)
    yield Media.__table__, (_media(n, created) for n in range(1, COVERS + 1))
    yield (
        MediaFile.__table__,
        (_file(n, width) for n in range(1, COVERS + 1) for width in WIDTHS),
    )


_BIOGRAPHY = {"bio_markdown": "Writes.", "bio_html": "<p>Writes.</p>", "url": ""}


def _media(number: int, created: datetime) -> dict[str, Any]:
    return {
        "id": number,
        "digest": f"{number:064x}",
        "name": f"cover-{number}.jpg",
        "content_type": "image/jpeg",
        "width": WIDTHS[-1],
        "height": 1080,
        "created_at": created,
    }


def _file(media: int, width: int) -> dict[str, Any]:
    return {
        "media_id": media,
        "fingerprint": f"{media:020x}",
        "name": f"cover-{media}-{width}.jpg",
        "content_type": "image/jpeg",
        "width": width,
        "height": width * 9 // 16,
        "size": 4,
        "original": width == WIDTHS[-1],
        "content": b"jpeg",
    }


def _posts(volume: Volume) -> Iterator[dict[str, Any]]:
    markdown = body(volume.sentences)
    text = rendered(markdown)
    for number in range(1, volume.posts + 1):
        at = volume.published_at(number)
        yield {
            "id": number,
            "kind": Kind.ARTICLE,
            "status": Status.PUBLISHED,
            "slug": slug(number),
            "title": f"Story number {number}",
            "summary": f"What happened in story number {number}, in one sentence.",
            "published_at": at,
            "created_at": at,
            "updated_at": at,
            "word_count": text.word_count,
            "minutes": text.minutes,
            "cover_id": number % COVERS + 1 if number % 2 else None,
            "cover_alt": "A room" if number % 2 else "",
            "version": 1,
            "body_html": text.html,
            "contents": [{"level": h.level, "id": h.id, "text": h.text} for h in text.toc],
            "body_markdown": markdown,
            "body_text": text.text,
        }


def rendered(markdown: str) -> Rendered:
    """A text as an action would render it."""
    return render(
        markdown,
        title="Story",
        resolve_image=lambda _source: None,
        resolve_link=lambda _href: None,
    )
