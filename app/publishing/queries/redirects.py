"""Redirects: where an old address leads now."""

from __future__ import annotations

from urllib.parse import quote

import sqlalchemy as sa

from app.extensions import db
from app.publishing.models import Post, Redirect, Status
from app.publishing.paths import normal, spellings

from .post_selects import for_links


def target(path: str) -> str | None:
    """Return the target of a path: a published post or a fixed target, never the path itself.

    A path with `.html` that has no redirect takes the one of the path without it.
    """
    try:
        sources = spellings(normal(quote(path)))
    except ValueError:
        return None
    leads = _target_of(sources)
    return leads if leads != path else None


def target_of_query(path: str, query: str) -> str | None:
    """Return the target of an address that differs by its query, such as `/?p=20`.

    It is never the address itself.
    """
    try:
        source = normal(f"{path}?{query}")
        target = _target_of(spellings(source)) if "?" in source else None
    except ValueError:
        return None
    is_itself = target is not None and target.startswith("/") and normal(target) == source
    return None if is_itself else target


def _target_of(sources: list[str]) -> str | None:
    """Return the target of the first source that has one: one statement for all spellings."""
    columns = sa.select(Redirect.source, Redirect.target, Redirect.post_id)
    result = db.session.execute(columns.where(Redirect.source.in_(sources)))
    rows = {row.source: row for row in result}
    for row in (rows[source] for source in sources if source in rows):
        target = row.target if row.post_id is None else _public_path(row.post_id)
        if target is not None:
            return target
    return None


def _public_path(post_id: int) -> str | None:
    """A separate query: with a join, every new post would purge all pages without a redirect."""
    statement = sa.select(Post).where(Post.id == post_id).options(*for_links(Post.status))
    post = db.session.scalar(statement)
    return post.path if post is not None and post.status is Status.PUBLISHED else None
