"""Add a redirect from an old path to a post or to a fixed target."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.private_paths import is_private
from app.publishing.editing import lookups, validation
from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.models import Kind, Post, Redirect, Status
from app.publishing.paths import find_query_error, normal
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction


def add_redirect(
    source: str,
    *,
    now: datetime,
    actor: Actor,
    post_id: int | None = None,
    target: str | None = None,
) -> Redirect:
    """Redirect the old path to a post or to a fixed target; an identical redirect is kept.

    Raises Forbidden, Invalid, Missing for an unknown post, Conflict when the address is taken.
    """
    source, target = checked(source, post_id, target)
    with transaction() as session:
        permit(session, actor, Verb.EDIT_REDIRECTS)
        post_id, target = _final_target(session, post_id, target)
        check(session, source, post_id, target)
        existing = lookups.find_redirect(session, source)
        if existing is not None and (existing.post_id, existing.target) == (post_id, target):
            return existing
        if existing is not None:
            raise taken_conflict(source)
        redirect = Redirect(source=source, post_id=post_id, target=target, created_at=now)
        session.add(redirect)
        _collapse_chains(session, redirect)
        lookups.flush_or_conflict(session, f"Another user has just redirected {source}.")
        return redirect


def checked(source: str, post_id: int | None, target: str | None) -> tuple[str, str | None]:
    """Return source and target as they are stored; raises Invalid."""
    if (post_id is None) == (target is None):
        raise Invalid("target", "A redirect leads either to a post or to an address.")
    path = _normal("source", source)
    if path == "/":
        raise Invalid("source", "The home page can't be redirected.")
    if is_private(path):
        raise Invalid("source", f"The address {path} belongs to the studio; choose another.")
    if query_error := find_query_error(source):
        raise Invalid("source", query_error)
    if target is None:
        return path, None
    return path, _checked_target(target)


def _checked_target(target: str) -> str:
    if not target.strip():
        raise Invalid("target", "Write a path such as /archive, or a URL with https://.")
    if target.startswith("/") and not target.startswith(("//", "/\\")):
        _normal("target", target)
        return validation.clean_line("target", target, limit=2000)
    return validation.validate_web_url("target", target, limit=2000)


def _normal(field: str, path: str) -> str:
    try:
        return normal(path)
    except ValueError as error:
        raise Invalid(field, str(error)) from None


def _final_target(
    session: Session, post_id: int | None, target: str | None
) -> tuple[int | None, str | None]:
    """Follow a fixed target to its end, so that no redirect leads to another redirect."""
    if target is None or not target.startswith("/"):
        return post_id, target
    onward = lookups.find_redirect(session, target)
    return (None, target) if onward is None else (onward.post_id, onward.target)


def check(session: Session, source: str, post_id: int | None, target: str | None) -> None:
    """Raise Conflict or Invalid if a published post, or the target itself, has the source path."""
    if post_id is not None and session.get(Post, post_id) is None:
        raise Missing("The post to redirect to does not exist; it may have been deleted.")
    if target is not None and target.startswith("/") and normal(target) == source:
        raise Invalid("target", f"The address {source} would lead to itself.")
    other = find_post_at(session, source)
    if other is not None and (other.id == post_id or other.status is Status.PUBLISHED):
        raise address_conflict(source, other)


class TitledPost(Protocol):
    """A post, or the columns of one."""

    @property
    def kind(self) -> Kind:
        """Return whether it is an article or a page."""

    @property
    def title(self) -> str:
        """Return its title."""


def address_conflict(source: str, other: TitledPost) -> Conflict:
    """Return the error for a path at which a post stands."""
    return Conflict(f"{source} is the address of the {other.kind} “{other.title}”.")


def taken_conflict(source: str) -> Conflict:
    """Return the error for a path that is redirected to another target."""
    return Conflict(f"The address {source} already leads somewhere else.")


def find_post_at(session: Session, path: str) -> Post | None:
    """Return the post with this path, published or not."""
    return lookups.find_post_by_slug(session, *split_path(path))


def split_path(path: str) -> tuple[Kind, str]:
    """Return the kind and the slug of a post that would stand at this path."""
    if path.startswith("/articles/"):
        return Kind.ARTICLE, path.removeprefix("/articles/")
    return Kind.PAGE, path.removeprefix("/")


def _collapse_chains(session: Session, redirect: Redirect) -> None:
    """Point redirects that lead to the new redirect's source directly to its end."""
    chained = sa.select(Redirect).where(Redirect.target.is_not(None))
    for other in session.scalars(chained.where(Redirect.target == redirect.source)):
        other.post_id, other.target = redirect.post_id, redirect.target


def redirect_moved_path(old_path: str, new_path: str, *, now: datetime, actor: Actor) -> None:
    """Redirect a path that has moved to its new path, and remove redirects from the new path."""
    with transaction() as session:
        both = [normal(old_path), normal(new_path)]
        session.execute(sa.delete(Redirect).where(Redirect.source.in_(both)))
        if both[0] != both[1]:
            add_redirect(old_path, target=new_path, now=now, actor=actor)
