"""The statements that the other queries are made of: published posts, in order, and how they load.

Lists never read bodies: reading one, or a relationship that was not asked for, raises.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, load_only, raiseload, selectinload, undefer_group
from sqlalchemy.sql.base import ExecutableOption

from app.publishing.models import Author, Kind, Media, Post, Status, Topic

Posts = sa.Select[Post]

OLDEST_FIRST = (Post.published_at, Post.id)
NEWEST_FIRST = (Post.published_at.desc(), Post.id.desc())

_LINKED = (*(Post.kind, Post.status, Post.slug, Post.title, Post.published_at, Post.menu_position),)
_LISTED = (
    *(Post.kind, Post.slug, Post.title, Post.summary, Post.published_at, Post.word_count),
    *(Post.cover_id, Post.cover_alt),
)


def published(kind: Kind) -> Posts:
    """All published posts of a kind, in no order yet."""
    return sa.select(Post).where(Post.kind == kind, Post.status == Status.PUBLISHED)


def articles() -> Posts:
    """All published articles, in no order yet."""
    return published(Kind.ARTICLE)


def for_lists(*, changes: bool = False) -> tuple[ExecutableOption, ...]:
    """Load what a list shows: names, topics and covers, four statements however many posts.

    `changes` adds when each was last changed; a list that does not say so is the same after it.
    """
    columns = (*_LISTED, Post.updated_at) if changes else _LISTED
    return (
        load_only(*columns, raiseload=True),
        *_names(),
        joinedload(Post.cover).selectinload(Media.files),
        raiseload("*"),
    )


def _names() -> tuple[ExecutableOption, ...]:
    return (
        selectinload(Post.authors).load_only(Author.slug, Author.name, raiseload=True),
        selectinload(Post.topics).load_only(Topic.slug, Topic.name, raiseload=True),
    )


def for_reading() -> tuple[ExecutableOption, ...]:
    """Load what the page of one post shows, its body too."""
    return (
        *_names(),
        joinedload(Post.cover).selectinload(Media.files),
        undefer_group("body"),
        raiseload("*"),
    )


def for_links(*, changes: bool = False) -> tuple[ExecutableOption, ...]:
    """Load what a link says and where it leads; with `changes`, when that last changed."""
    columns = (*_LINKED, Post.updated_at) if changes else _LINKED
    return (load_only(*columns, raiseload=True), raiseload("*"))
