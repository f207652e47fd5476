"""The JSON objects of the API; no other module names their fields."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import current_app

from app.publishing.models import Author, Media, Post, Topic


def url(path: str) -> str:
    """Return the absolute URL of a path."""
    return f"{current_app.config['SITE_URL']}{path}"


def instant(at: datetime | None) -> str | None:
    """Format an instant as in RFC 3339."""
    return at.isoformat(timespec="seconds") if at else None


def post(it: Post) -> dict[str, Any]:
    """Return an article as an entry of a list."""
    return {
        "slug": it.slug,
        "title": it.title,
        "summary": it.summary,
        "language": it.language,
        "url": url(it.path),
        "api_url": url(f"/api/posts/{it.slug}"),
        "published_at": instant(it.published_at),
        "updated_at": instant(it.updated_at),
        "word_count": it.word_count,
        "authors": [author(each) for each in it.authors],
        "topics": [topic(each) for each in it.topics],
        "cover": cover(it.cover, it.cover_alt) if it.cover and it.cover.files else None,
    }


def post_in_full(it: Post) -> dict[str, Any]:
    """An article with its text."""
    contents = [{name: entry[name] for name in ("level", "id", "text")} for entry in it.contents]
    return post(it) | {"contents": contents, "html": it.body_html}


def author(it: Author) -> dict[str, Any]:
    """An author."""
    return {"slug": it.slug, "name": it.name, "url": url(it.path)}


def topic(it: Topic) -> dict[str, Any]:
    """A topic."""
    return {"slug": it.slug, "name": it.name, "url": url(it.path)}


def cover(it: Media, alt: str) -> dict[str, Any]:
    """Return an image as its largest file."""
    largest = max(it.files, key=lambda file: (file.width, file.id))
    return {"url": url(largest.path), "width": largest.width, "height": largest.height, "alt": alt}
