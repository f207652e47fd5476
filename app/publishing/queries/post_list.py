"""The list of posts in the studio, with their working copies."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import load_only, raiseload, selectinload

from app.extensions import db
from app.publishing.models import (
    Author,
    Kind,
    Ownership,
    Post,
    Role,
    Status,
    Topic,
    WorkingCopy,
    post_author,
    post_topic,
)
from app.publishing.permissions import Actor

PAGE_SIZE = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class PostFilter:
    """What the list shows: all posts, unless a field restricts it."""

    status: Status | None = None
    words: str = ""
    author_id: int | None = None
    topic_id: int | None = None
    page: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPost:
    """A post, and its working copy if there is one with changes."""

    post: Post
    copy_id: int | None
    is_changed: bool
    is_ready: bool
    may_edit: bool
    """Whether the actor may open the post's working copy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCopy:
    """A new post that was never saved."""

    id: int
    kind: Kind
    title: str
    is_ready: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostPage:
    """One page of the list, and how many posts there are of each status."""

    posts: tuple[ListedPost, ...]
    has_more: bool
    counts: dict[Status, int]


def load_page(wanted: PostFilter, actor: Actor) -> PostPage:
    """Return the posts that the actor may see; a writer sees their own and published ones."""
    is_changed = _text(WorkingCopy.fields) != _text(WorkingCopy.base_fields)
    statement = (
        sa.select(Post, WorkingCopy.id, is_changed, WorkingCopy.ready, Ownership.user_id)
        .outerjoin(WorkingCopy, WorkingCopy.post_id == Post.id)
        .outerjoin(Ownership, Ownership.post_id == Post.id)
        .where(*_conditions(wanted, actor))
        .order_by(*_order(wanted.status))
        .offset((wanted.page - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
        .options(*_columns())
    )
    rows = db.session.execute(statement).all()
    posts = [
        ListedPost(
            post=post,
            copy_id=copy_id,
            is_changed=bool(changed),
            is_ready=bool(ready),
            may_edit=actor.role is not Role.WRITER or owner_id == actor.user_id,
        )
        for post, copy_id, changed, ready, owner_id in rows[:PAGE_SIZE]
    ]
    return PostPage(posts=tuple(posts), has_more=len(rows) > PAGE_SIZE, counts=_count(actor))


def load_new_copies(actor: Actor) -> list[NewCopy]:
    """Return the new posts that were never saved; a writer sees their own."""
    statement = sa.select(WorkingCopy).where(WorkingCopy.post_id.is_(None))
    if actor.role is Role.WRITER:
        statement = statement.where(WorkingCopy.owner_id == actor.user_id)
    copies = db.session.scalars(statement.order_by(WorkingCopy.updated_at.desc()).limit(100))
    return [
        NewCopy(
            id=copy.id,
            kind=copy.kind,
            title=copy.fields.get("title", ""),
            is_ready=copy.ready,
            updated_at=copy.updated_at,
        )
        for copy in copies
    ]


def _text(column: sa.orm.InstrumentedAttribute[dict[str, object]]) -> sa.Cast[str]:
    return sa.cast(column, sa.Text)  # PostgreSQL does not compare JSON


def _conditions(wanted: PostFilter, actor: Actor) -> list[sa.ColumnElement[bool]]:
    conditions = [visible_to(actor)]
    if wanted.status is not None:
        conditions.append(Post.status == wanted.status)
    for word in wanted.words.split():
        columns = (Post.title, Post.slug, Post.body_text)
        conditions.append(sa.or_(*(c.icontains(word, autoescape=True) for c in columns)))
    if wanted.author_id is not None:
        links = sa.select(post_author.c.post_id).where(post_author.c.author_id == wanted.author_id)
        conditions.append(Post.id.in_(links))
    if wanted.topic_id is not None:
        links = sa.select(post_topic.c.post_id).where(post_topic.c.topic_id == wanted.topic_id)
        conditions.append(Post.id.in_(links))
    return conditions


def visible_to(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition for the posts that the actor may see in the list."""
    return sa.or_(Post.status == Status.PUBLISHED, owned_by(actor))


def owned_by(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition for the posts that the actor may edit: all, or a writer's own."""
    if actor.role is not Role.WRITER:
        return sa.true()
    own = sa.select(Ownership.post_id).where(Ownership.user_id == actor.user_id)
    return Post.id.in_(own)


def _order(status: Status | None) -> tuple[sa.UnaryExpression[Any], ...]:
    if status is Status.SCHEDULED:
        return (Post.published_at.asc(), Post.id.asc())
    if status is Status.PUBLISHED:
        return (Post.published_at.desc(), Post.id.desc())
    return (Post.updated_at.desc(), Post.id.desc())


def _columns() -> tuple[sa.sql.base.ExecutableOption, ...]:
    shown = (Post.kind, Post.status, Post.slug, Post.title, Post.language, Post.published_at)
    return (
        load_only(*shown, Post.updated_at, Post.word_count, Post.version, raiseload=True),
        selectinload(Post.authors).load_only(Author.name, raiseload=True),
        selectinload(Post.topics).load_only(Topic.name, raiseload=True),
        raiseload("*"),
    )


def _count(actor: Actor) -> dict[Status, int]:
    statement = sa.select(Post.status, sa.func.count()).where(visible_to(actor))
    rows = dict(db.session.execute(statement.group_by(Post.status)).all())
    return {status: rows.get(status, 0) for status in Status}


def copy_of(post_id: int) -> WorkingCopy | None:
    """Return the working copy of a post; the caller has asked for the permission."""
    return db.session.scalar(sa.select(WorkingCopy).where(WorkingCopy.post_id == post_id))


def id_at(path: str) -> int | None:
    """Return the id of the post with this public path, or None."""
    is_article = path.startswith("/articles/")
    slug = path.removeprefix("/articles/" if is_article else "/")
    kind = Kind.ARTICLE if is_article else Kind.PAGE
    return db.session.scalar(sa.select(Post.id).where(Post.kind == kind, Post.slug == slug))
