"""The list of redirects in the studio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Kind, Post, Redirect, Status

PAGE_SIZE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedRedirect:
    """A redirect and where it leads.

    `title` is the title of the post to which it leads, empty for a fixed target. `is_broken`:
    the post is not public, so that the old path is answered with 404.
    """

    id: int
    source: str
    target: str
    title: str = ""
    is_broken: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RedirectPage:
    """One page of the list, and how many redirects match in all."""

    redirects: tuple[ListedRedirect, ...]
    total: int
    has_more: bool


def load_page(words: str, number: int) -> RedirectPage:
    """Return a page of the redirects whose source, target or post contains all words."""
    conditions = [_contains(word) for word in words.split()]
    selected = (Redirect.id, Redirect.source, Redirect.target, Post.kind, Post.slug)
    statement = (
        sa.select(*selected, Post.title, Post.status)
        .outerjoin(Post, Post.id == Redirect.post_id)
        .where(*conditions)
        .order_by(Redirect.source)
        .offset((number - 1) * PAGE_SIZE)
        .limit(PAGE_SIZE + 1)
    )
    rows = db.session.execute(statement).all()
    count = sa.select(sa.func.count(Redirect.id)).outerjoin(Post, Post.id == Redirect.post_id)
    return RedirectPage(
        redirects=tuple(_listed(row) for row in rows[:PAGE_SIZE]),
        total=db.session.scalar(count.where(*conditions)) or 0,
        has_more=len(rows) > PAGE_SIZE,
    )


def _contains(word: str) -> sa.ColumnElement[bool]:
    columns = (Redirect.source, Redirect.target, Post.slug, Post.title)
    return sa.or_(*(column.icontains(word, autoescape=True) for column in columns))


def _listed(row: Any) -> ListedRedirect:
    if row.target is not None:
        return ListedRedirect(id=row.id, source=row.source, target=row.target)
    return ListedRedirect(
        id=row.id,
        source=row.source,
        target=f"/articles/{row.slug}" if row.kind is Kind.ARTICLE else f"/{row.slug}",
        title=row.title,
        is_broken=row.status is not Status.PUBLISHED,
    )
