"""The statements that the other queries are made of: published posts, in order, and how they load.

Lists never read bodies: reading one, or a relationship that was not asked for, raises.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import defer, joinedload, raiseload, selectinload, undefer_group
from sqlalchemy.sql.base import ExecutableOption

from app.publishing.models import Kind, Media, Post, Status

Posts = sa.Select[Post]

OLDEST_FIRST = (Post.published_at, Post.id)
NEWEST_FIRST = (Post.published_at.desc(), Post.id.desc())

_BODIES = (Post.body_html, Post.contents, Post.body_markdown, Post.body_text)


def published(kind: Kind) -> Posts:
    """All published posts of a kind, in no order yet."""
    return sa.select(Post).where(Post.kind == kind, Post.status == Status.PUBLISHED)


def articles() -> Posts:
    """All published articles, in no order yet."""
    return published(Kind.ARTICLE)


def for_lists() -> tuple[ExecutableOption, ...]:
    """Load what a list shows: names, topics and covers, four statements however many posts."""
    return (
        selectinload(Post.authors),
        selectinload(Post.topics),
        joinedload(Post.cover).selectinload(Media.files),
        *(defer(body, raiseload=True) for body in _BODIES),
        raiseload("*"),
    )


def for_reading() -> tuple[ExecutableOption, ...]:
    """Load what the page of one post shows, its body too."""
    return (
        selectinload(Post.authors),
        selectinload(Post.topics),
        joinedload(Post.cover).selectinload(Media.files),
        undefer_group("body"),
        raiseload("*"),
    )


def for_links() -> tuple[ExecutableOption, ...]:
    """Load a post's own columns alone: enough for a link."""
    return (*(defer(body, raiseload=True) for body in _BODIES), raiseload("*"))
