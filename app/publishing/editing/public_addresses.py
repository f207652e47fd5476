"""Old addresses of posts: every address at which a post was public keeps leading to it.

The law: for each path at which a published post was ever public, readers find either a published
post there or a redirect that leads to one. If several posts were public at a path, the one
that is there now comes first, then the latest. All functions run in the caller's transaction.
"""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.models import Kind, Post, PostAddress, Redirect, Status
from app.publishing.paths import normal

_LOCK = 0x626F6172
"""The key of PostgreSQL's advisory lock for the addresses of all posts."""


def lock_addresses(session: Session) -> None:
    """Serialise transactions that change addresses; SQLite has a single writer anyway.

    Otherwise one that publishes and one that unpublishes could each miss the other's write.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def record_public_address(session: Session, post: Post, *, now: datetime) -> None:
    """Record that the post is public at its path, and redirect its old addresses to it."""
    path = normal(post.path)
    _remove_redirect(session, path)
    _record(session, post.id, path, now)
    session.flush()
    for old in _paths_of(session, post):
        restore_redirect(session, old, now=now)


def record_first_address(session: Session, post: Post, *, now: datetime) -> None:
    """Record the address of a new post that is public at once; it has no earlier address."""
    path = normal(post.path)
    _remove_redirect(session, path)
    session.add(PostAddress(post_id=post.id, path=path, public_at=now))


def restore_earlier_redirects(session: Session, post: Post, *, now: datetime) -> None:
    """Redirect the addresses of a post that is no longer public to posts that had them before."""
    session.flush()
    for path in _paths_of(session, post):
        restore_redirect(session, path, now=now)


def redirect_old_address(
    session: Session, post: Post, old_path: str, *, was_public: bool, now: datetime
) -> None:
    """Leave a redirect at the old path, if readers may have seen the post there.

    `was_public` says that they have, though it is not recorded: the post was dated elsewhere, or
    published by an older release. The caller has flushed the new slug.
    """
    source, path = normal(old_path), normal(post.path)
    if post.status is Status.PUBLISHED:
        record_public_address(session, post, now=now)
    else:
        _remove_redirect(session, path, post_id=post.id)
    restore_redirect(session, source, now=now)
    seen_there = was_public or _record_of(session, post.id, source) is not None
    if seen_there and _redirect_from(session, source) is None:
        session.add(Redirect(source=source, post_id=post.id, created_at=now))
        session.flush()


def restore_redirect(session: Session, path: str, *, now: datetime) -> None:
    """Redirect the path to a published post that was public there, unless it is in use."""
    if _published_at(session, path):
        return
    redirect = _redirect_from(session, path)
    if redirect is not None and (redirect.target or _is_published(session, redirect.post_id)):
        return
    was_here = sa.select(PostAddress.post_id).join(Post).where(PostAddress.path == path)
    latest = was_here.order_by(PostAddress.public_at.desc(), PostAddress.id.desc())
    post_id = session.scalar(latest.where(Post.status == Status.PUBLISHED).limit(1))
    if post_id is None:
        return
    if redirect is None:
        session.add(Redirect(source=path, post_id=post_id, created_at=now))
    else:
        redirect.post_id = post_id
    session.flush()


def has_record(session: Session, post: Post) -> bool:
    """Tell whether an address is recorded at which the post was public."""
    return bool(_paths_of(session, post))


def _paths_of(session: Session, post: Post) -> list[str]:
    paths = sa.select(PostAddress.path).where(PostAddress.post_id == post.id)
    return list(session.scalars(paths.order_by(PostAddress.path)))


def _record(session: Session, post_id: int, path: str, public_at: datetime) -> None:
    record = _record_of(session, post_id, path)
    if record is None:
        session.add(PostAddress(post_id=post_id, path=path, public_at=public_at))
    else:
        record.public_at = public_at


def _record_of(session: Session, post_id: int, path: str) -> PostAddress | None:
    here = sa.select(PostAddress).where(PostAddress.path == path, PostAddress.post_id == post_id)
    return session.scalars(here).one_or_none()


def _remove_redirect(session: Session, path: str, *, post_id: int | None = None) -> None:
    """Remove the redirect from a path, or that of one post; the post it led to is remembered."""
    redirect = _redirect_from(session, path)
    if redirect is None or post_id not in {None, redirect.post_id}:
        return
    owner = redirect.post_id
    if owner is not None and _record_of(session, owner, path) is None:
        _record(session, owner, path, redirect.created_at)
    session.delete(redirect)
    session.flush()


def _redirect_from(session: Session, path: str) -> Redirect | None:
    return session.scalars(sa.select(Redirect).where(Redirect.source == path)).one_or_none()


def _published_at(session: Session, path: str) -> bool:
    """Tell whether a published post stands at this path."""
    article = path.startswith("/articles/")
    kind = Kind.ARTICLE if article else Kind.PAGE
    slug = path.removeprefix("/articles/" if article else "/")
    here = sa.select(Post.id).where(Post.kind == kind, Post.slug == slug)
    return session.scalar(here.where(Post.status == Status.PUBLISHED)) is not None


def _is_published(session: Session, post_id: int | None) -> bool:
    status = session.scalar(sa.select(Post.status).where(Post.id == post_id))
    return status is Status.PUBLISHED
