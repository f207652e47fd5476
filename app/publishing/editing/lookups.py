"""Load and lock the rows that an action changes, or raise an error that names what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer_group

from app.publishing.editing import public_addresses
from app.publishing.errors import Conflict, Missing
from app.publishing.models import Author, Kind, Media, Post, Redirect, Topic
from app.publishing.paths import normal
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.slugs import unique_slug

from .draft import validate_post_slug
from .slug_style import find_slug_style, require_slug_style


def lock_post(
    session: Session,
    post_id: int,
    expected_version: int,
    *,
    actor: Actor,
    verb: Callable[[Post], Verb],
) -> Post:
    """Load and lock the post for an actor; `verb` returns what the action needs for this post.

    Raises Missing, Forbidden, or Conflict if it was saved since.
    """
    public_addresses.lock_addresses(session)
    post = session.scalars(
        sa.select(Post)
        .where(Post.id == post_id)
        .options(undefer_group("source"))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if post is None:
        raise Missing("The post does not exist; it may have been deleted.")
    permit(session, actor, verb(post), post)  # before a message names the post
    if post.version != expected_version:
        raise Conflict(
            f"Another user has saved “{post.title}” (it is at version {post.version}, "
            f"you saw version {expected_version}). Load it again and repeat your changes."
        )
    return post


def find_post_by_slug(session: Session, kind: Kind, slug: str) -> Post | None:
    """Return the post that has this slug, or None."""
    return session.scalars(
        sa.select(Post).where(Post.kind == kind, Post.slug == slug)
    ).one_or_none()


def require_free_slug(session: Session, kind: Kind, slug: str) -> None:
    """Raise Conflict, naming the other post, when the slug is taken; Invalid for its script."""
    require_slug_style(session, slug)
    other = find_post_by_slug(session, kind, slug)
    if other is not None:
        raise Conflict(
            f"The slug {slug!r} belongs to the {kind} “{other.title}” ({other.status}); "
            "choose another."
        )


def require_free_feed_id(session: Session, feed_id: str) -> None:
    """Raise Conflict, naming the other post, when the identifier in feeds is taken."""
    statement = sa.select(Post.title).where(Post.feed_id == feed_id)
    if feed_id and (title := session.scalar(statement)) is not None:
        raise Conflict(f"The feed identifier {feed_id!r} belongs to “{title}”; leave it out.")


def find_free_slug(session: Session, kind: Kind, preferred_slug: str) -> str:
    """Return the preferred slug, or the first free and valid one with a number."""

    def is_taken(slug: str) -> bool:
        try:
            validate_post_slug(kind, slug)
        except ValueError:
            return True
        return find_post_by_slug(session, kind, slug) is not None

    return unique_slug(preferred_slug, is_taken, find_slug_style(session))


def require_existing(
    session: Session, model: type[Author | Topic | Media], ids: Iterable[int]
) -> None:
    """Raise Missing for the first id without a row."""
    requested_ids = tuple(ids)
    if not requested_ids:
        return
    existing_ids = set(session.scalars(sa.select(model.id).where(model.id.in_(requested_ids))))
    for requested_id in requested_ids:
        if requested_id not in existing_ids:
            noun = {"author": "author", "topic": "topic"}.get(model.__tablename__, "image")
            raise Missing(f"There is no {noun} with the number {requested_id}; choose another.")


def flush_or_conflict(session: Session, sentence: str) -> None:
    """Flush the session; raises Conflict if another transaction has inserted the same key."""
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(sentence) from error


def find_redirect(session: Session, path: str) -> Redirect | None:
    """Return the redirect from this path, in any spelling, or None."""
    return session.scalars(sa.select(Redirect).where(Redirect.source == normal(path))).one_or_none()


def set_changed(row: object, values: Mapping[str, Any]) -> set[str]:
    """Set the attributes that differ; return their names."""
    changed_names = {name for name, value in values.items() if getattr(row, name) != value}
    for name in changed_names:
        setattr(row, name, values[name])
    return changed_names
