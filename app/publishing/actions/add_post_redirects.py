"""Add the redirects from many old paths to posts with a few queries, as an import needs it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.models import Kind, Post, Redirect, Status
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction

from .add_redirect import add_redirect, address_conflict, checked, split_path, taken_conflict


@dataclass(frozen=True, slots=True, kw_only=True)
class PostRedirect:
    """An old address, and the post to which it is to lead."""

    source: str
    post_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _PostRow:
    """The columns of a post that decide whether its path may be redirected."""

    id: int
    kind: Kind
    status: Status
    title: str


@dataclass(slots=True, kw_only=True)
class _Rows:
    """What stands at the old paths: posts, redirects, and redirects that lead there."""

    posts: Mapping[str, _PostRow]
    targets: dict[str, tuple[int | None, str | None]]
    chained: Sequence[Redirect]
    existing_ids: frozenset[int]
    added: dict[str, int] = field(default_factory=dict)


def add_post_redirects(
    redirects: Sequence[PostRedirect], *, now: datetime, actor: Actor
) -> list[Conflict | Invalid | None]:
    """Redirect each old path to its post; return the error of each one, or None.

    The result is that of `add_redirect` for one after another. Raises Forbidden, and Missing for an
    unknown post.
    """
    with transaction() as session:
        permit(session, actor, Verb.EDIT_REDIRECTS)
        try:
            with session.begin_nested():
                return _add_all(session, redirects, now)
        except IntegrityError:  # another user has just redirected one of the paths
            return [_add_alone(session, redirect, now, actor) for redirect in redirects]


def _add_all(
    session: Session, redirects: Sequence[PostRedirect], now: datetime
) -> list[Conflict | Invalid | None]:
    sources = [_checked(redirect) for redirect in redirects]
    paths = list(dict.fromkeys(source for source in sources if isinstance(source, str)))
    rows = _load(session, paths, {redirect.post_id for redirect in redirects})
    errors = [
        source if isinstance(source, Invalid) else _take(rows, source, redirect.post_id)
        for source, redirect in zip(sources, redirects, strict=True)
    ]
    if rows.added:
        session.execute(
            sa.insert(Redirect),
            [
                {"source": source, "post_id": post_id, "created_at": now}
                for source, post_id in rows.added.items()
            ],
        )
    for chained in rows.chained:
        if (post_id := rows.added.get(chained.target or "")) is not None:
            chained.post_id, chained.target = post_id, None
    return errors


def _checked(redirect: PostRedirect) -> str | Invalid:
    try:
        return checked(redirect.source, redirect.post_id, None)[0]
    except Invalid as error:
        return error


def _load(session: Session, paths: Sequence[str], post_ids: Iterable[int]) -> _Rows:
    keys = {split_path(path): path for path in paths}
    columns = sa.select(Post.id, Post.kind, Post.slug, Post.status, Post.title)
    posts = session.execute(columns.where(Post.slug.in_({slug for _, slug in keys})))
    redirects = sa.select(Redirect.source, Redirect.post_id, Redirect.target)
    return _Rows(
        posts={
            keys[kind, slug]: _PostRow(id=key, kind=kind, status=status, title=title)
            for key, kind, slug, status, title in posts
            if (kind, slug) in keys
        },
        targets={
            source: (post_id, target)
            for source, post_id, target in session.execute(
                redirects.where(Redirect.source.in_(paths))
            )
        },
        chained=session.scalars(sa.select(Redirect).where(Redirect.target.in_(paths))).all(),
        existing_ids=frozenset(session.scalars(sa.select(Post.id).where(Post.id.in_(post_ids)))),
    )


def _take(rows: _Rows, source: str, post_id: int) -> Conflict | None:
    """Note one redirect to be added; return why it can't be added, or None."""
    if post_id not in rows.existing_ids:
        raise Missing("The post to redirect to does not exist; it may have been deleted.")
    other = rows.posts.get(source)
    if other is not None and (other.id == post_id or other.status is Status.PUBLISHED):
        return address_conflict(source, other)
    existing = rows.targets.get(source)
    if existing is None:
        rows.targets[source] = (post_id, None)
        rows.added[source] = post_id
        return None
    return None if existing == (post_id, None) else taken_conflict(source)


def _add_alone(
    session: Session, redirect: PostRedirect, now: datetime, actor: Actor
) -> Conflict | Invalid | None:
    try:
        with session.begin_nested():
            add_redirect(redirect.source, post_id=redirect.post_id, now=now, actor=actor)
    except (Conflict, Invalid) as error:
        return error
    return None
