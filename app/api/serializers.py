"""The JSON objects of the API; no other module names their fields."""

from __future__ import annotations

from datetime import datetime

from flask import current_app

from app.publishing.feeds import entry_id
from app.publishing.models import Author, Media, Post, Topic
from app.publishing.queries.authors import CountedAuthor
from app.publishing.queries.topics import CountedTopic

from . import shapes


def url(path: str) -> str:
    """Return the absolute URL of a path."""
    return f"{current_app.config['SITE_URL']}{path}"


def instant(at: datetime | None) -> str | None:
    """Format an instant as in RFC 3339."""
    return at.isoformat(timespec="seconds") if at else None


def post(it: Post) -> shapes.Post:
    """Return an article as an entry of a list."""
    return {
        "id": entry_id(current_app.config["SITE_URL"], it),
        "slug": it.slug,
        "title": it.title,
        "summary": it.summary,
        "language": it.language,
        "url": url(it.path),
        "api_url": url(f"/api/posts/{it.slug}"),
        "markdown_url": url(f"{it.path}.md"),
        "published_at": instant(it.published_at),
        "updated_at": instant(it.updated_at),
        "word_count": it.word_count,
        "authors": [author(each) for each in it.authors],
        "topics": [topic(each) for each in it.topics],
        "cover": cover(it.cover, it.cover_alt) if it.cover and it.cover.files else None,
    }


def post_in_full(it: Post) -> shapes.FullPost:
    """An article with its text."""
    return {**post(it), "contents": headings(it), "html": it.body_html}


def page(it: Post) -> shapes.Page:
    """Return a page as an entry of a list."""
    return {
        "id": entry_id(current_app.config["SITE_URL"], it),
        "slug": it.slug,
        "title": it.title,
        "summary": it.summary,
        "language": it.language,
        "url": url(it.path),
        "api_url": url(f"/api/pages/{it.slug}"),
        "markdown_url": url(f"{it.path}.md"),
        "updated_at": instant(it.updated_at),
    }


def page_in_full(it: Post) -> shapes.FullPage:
    """A page with its text."""
    return {**page(it), "contents": headings(it), "html": it.body_html}


def headings(it: Post) -> list[shapes.Heading]:
    """Return the table of contents."""
    return [
        {"level": each["level"], "id": each["id"], "text": each["text"]} for each in it.contents
    ]


def author(it: Author) -> shapes.Author:
    """An author."""
    return {"slug": it.slug, "name": it.name, "url": url(it.path)}


def counted_author(it: CountedAuthor) -> shapes.CountedAuthor:
    """An author with the number of articles."""
    return {**author(it.author), "count": it.count}


def topic(it: Topic) -> shapes.Topic:
    """A topic."""
    return {"slug": it.slug, "name": it.name, "url": url(it.path)}


def counted_topic(it: CountedTopic) -> shapes.CountedTopic:
    """A topic with its description and the number of articles."""
    return {**topic(it.topic), "description": it.topic.description, "count": it.count}


def cover(it: Media, alt: str) -> shapes.Cover:
    """Return an image as its largest file."""
    largest = max(it.files, key=lambda file: (file.width, file.id))
    return {"url": url(largest.path), "width": largest.width, "height": largest.height, "alt": alt}
