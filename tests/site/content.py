"""Content for tests: published posts with authors, topics and covers, written through models."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from io import BytesIO
from typing import TypeVar

import sqlalchemy as sa
from PIL import Image
from sqlalchemy.orm import Session

from app.publishing.actions import Draft
from app.publishing.models import (
    Author,
    Kind,
    Media,
    MediaFile,
    Post,
    Redirect,
    Site,
    Status,
    Topic,
    post_author,
    post_topic,
)
from app.publishing.slugs import slugify
from app.publishing.transaction import transaction

Noun = TypeVar("Noun", Topic, Author)

START = datetime(2024, 1, 1, 9, tzinfo=UTC)
BODY = "<p>The first words of the text, and a <a href='/archive'>link</a>.</p>\n"


def day(number: int) -> datetime:
    """The morning of the `number`-th day."""
    return START + timedelta(days=number)


def post(
    title: str,
    *,
    at: datetime = START,
    kind: Kind = Kind.ARTICLE,
    status: Status = Status.PUBLISHED,
    topics: Sequence[str] = (),
    authors: Sequence[str] = (),
    summary: str = "What it says.",
    body: str = BODY,
    words: str = "",
    cover: bool = False,
    menu_position: int | None = None,
) -> Post:
    """Write a post, published unless it is said otherwise."""
    with transaction() as session:
        post_row = Post(
            kind=kind,
            status=status,
            slug=slugify(title),
            title=title,
            summary=summary,
            published_at=at,
            created_at=at,
            updated_at=at,
            word_count=500,
            minutes=2,
            body_html=body,
            body_markdown=body,
            body_text=words or title,
            contents=[],
            menu_position=menu_position,
            cover_id=image(session, title).id if cover else None,
            cover_alt="What the picture shows",
        )
        session.add(post_row)
        session.flush()
        link(session, post_row, topics, authors)
    return post_row


def link(session: Session, post_row: Post, topics: Sequence[str], authors: Sequence[str]) -> None:
    """Say what a post is about and who wrote it; topics and authors are made when missing."""
    for position, name in enumerate(topics):
        topic = find_or_create(session, Topic, name)
        values = {"post_id": post_row.id, "topic_id": topic.id, "position": position}
        session.execute(post_topic.insert().values(values))
    for position, name in enumerate(authors):
        author = find_or_create(session, Author, name)
        values = {"post_id": post_row.id, "author_id": author.id, "position": position}
        session.execute(post_author.insert().values(values))


def find_or_create(session: Session, noun: type[Noun], name: str) -> Noun:
    """The topic or author of this name, made when missing."""
    there = session.scalar(sa.select(noun).where(noun.slug == slugify(name)))
    if there is None:
        there = noun(slug=slugify(name), name=name)
        session.add(there)
        session.flush()
    return there


def draft_of(post: Post) -> Draft:
    """The draft that changes nothing."""
    return Draft(
        title=post.title,
        body_markdown=post.body_markdown,
        kind=post.kind,
        slug=post.slug,
        summary=post.summary,
        author_ids=tuple(author.id for author in post.authors),
        topic_ids=tuple(topic.id for topic in post.topics),
        cover_id=post.cover_id,
        cover_alt=post.cover_alt,
        menu_position=post.menu_position,
        language=post.language,
    )


def picture(name: str, width: int) -> bytes:
    """A small JPEG of the right proportions; each name has a colour."""
    red, green, blue = sha256(name.encode()).digest()[:3]
    buffer = BytesIO()
    Image.new("RGB", (width // 10, width * 9 // 160), (red, green, blue)).save(buffer, "JPEG")
    return buffer.getvalue()


def image(session: Session, name: str) -> Media:
    """An image with an original and one rendition."""
    digest = sha256(name.encode()).hexdigest()
    media = Media(
        digest=digest,
        name="a.jpg",
        content_type="image/jpeg",
        width=1600,
        height=900,
        created_at=START,
    )
    session.add(media)
    session.flush()
    for width, original in ((960, False), (1600, True)):
        content = picture(name, width)
        session.add(
            MediaFile(
                media_id=media.id,
                fingerprint=sha256(content).hexdigest()[:20],
                name=f"a-{width}.jpg",
                content_type="image/jpeg",
                width=width,
                height=width * 9 // 16,
                size=len(content),
                original=original,
                content=content,
            )
        )
    return media


def old_path(path: str, *, to: Post | str) -> None:
    """Let an old path lead to a post or to a fixed address."""
    with transaction() as session:
        post_id, target = (to.id, None) if isinstance(to, Post) else (None, to)
        session.add(Redirect(source=path, post_id=post_id, target=target, created_at=START))


def settings(title: str = "The Gazette", tagline: str = "All of it") -> None:
    """Name the site."""
    with transaction() as session:
        session.add(Site(title=title, tagline=tagline, description="A paper.", language="en"))
