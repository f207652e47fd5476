"""Finding what an action is about, locked for writing, or saying clearly that it is not there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, undefer_group

from app.publishing.editing import public_addresses
from app.publishing.errors import Conflict, Missing
from app.publishing.models import Author, Kind, Media, Post, Redirect, Topic
from app.publishing.paths import normal
from app.publishing.slugs import unique_slug

from .draft import slug_for


def post_to_change(session: Session, post_id: int, expected_version: int) -> Post:
    """The post with its source text, locked; raises Missing, or Conflict if it was saved since."""
    public_addresses.lock(session)
    post = session.scalars(
        sa.select(Post)
        .where(Post.id == post_id)
        .options(undefer_group("source"))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if post is None:
        raise Missing("There is no such post; perhaps somebody deleted it.")
    if post.version != expected_version:
        raise Conflict(
            f"Somebody else saved “{post.title}” meanwhile (it is at version {post.version}, "
            f"you saw version {expected_version}). Load it again, and put your changes into it."
        )
    return post


def holder(session: Session, kind: Kind, slug: str) -> Post | None:
    """The post that has this slug."""
    return session.scalars(
        sa.select(Post).where(Post.kind == kind, Post.slug == slug)
    ).one_or_none()


def check_free(session: Session, kind: Kind, slug: str) -> None:
    """Raise Conflict, naming the other post, when the slug is taken."""
    other = holder(session, kind, slug)
    if other is not None:
        raise Conflict(
            f"The slug {slug!r} belongs to the {kind} “{other.title}” ({other.status}); "
            "choose another."
        )


def free_slug(session: Session, kind: Kind, wanted: str) -> str:
    """The wanted slug, or the first one near it that is free and may be had."""

    def taken(slug: str) -> bool:
        try:
            slug_for(kind, slug)
        except ValueError:
            return True
        return holder(session, kind, slug) is not None

    return unique_slug(wanted, taken)


def check_known(session: Session, model: type[Author | Topic | Media], ids: Iterable[int]) -> None:
    """Raise Missing for the first id that no row has."""
    wanted = tuple(ids)
    if not wanted:
        return
    found = set(session.scalars(sa.select(model.id).where(model.id.in_(wanted))))
    for wanted_id in wanted:
        if wanted_id not in found:
            noun = {"author": "author", "topic": "topic"}.get(model.__tablename__, "image")
            raise Missing(f"There is no {noun} with the number {wanted_id}; choose another.")


def flush(session: Session, sentence: str) -> None:
    """Send what is pending; a row that another transaction made first becomes a Conflict."""
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(sentence) from error


def redirect_from(session: Session, path: str) -> Redirect | None:
    """The redirect that starts at this path, however it is spelt."""
    return session.scalars(sa.select(Redirect).where(Redirect.source == normal(path))).one_or_none()


def assign(row: object, values: Mapping[str, Any]) -> set[str]:
    """Set the attributes that differ; gives their names."""
    changed = {name for name, value in values.items() if getattr(row, name) != value}
    for name in changed:
        setattr(row, name, values[name])
    return changed
