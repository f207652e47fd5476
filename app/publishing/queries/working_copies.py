"""Working copies, their forks and who has them open; each query asks for the permission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from app.extensions import db
from app.publishing.editing.working_copies import GONE, describe_copy
from app.publishing.errors import Missing
from app.publishing.models import (
    Author,
    Fork,
    Media,
    MediaFile,
    Post,
    Presence,
    Topic,
    User,
    WorkingCopy,
)
from app.publishing.permissions import Actor, Verb, permit

SEEN_WITHIN = timedelta(seconds=90)
"""A tab that was last seen longer ago is closed, unless it has unsaved changes."""
PICTURES = 50


def by_id(copy_id: int, actor: Actor) -> WorkingCopy:
    """Return the working copy; raises Missing or Forbidden."""
    copy = db.session.get(WorkingCopy, copy_id, populate_existing=True)
    if copy is None:
        raise Missing(GONE)
    permit(db.session(), actor, Verb.EDIT_COPY, describe_copy(db.session(), copy))
    return copy


def post_of(copy: WorkingCopy) -> Post | None:
    """Return the post of a copy, without its text."""
    if copy.post_id is None:
        return None
    options = (undefer(Post.version),)
    return db.session.get(Post, copy.post_id, options=options, populate_existing=True)


def forks_of(copy: WorkingCopy) -> Sequence[tuple[Fork, str]]:
    """Return the forks of a copy with the names of their writers, the oldest first."""
    statement = (
        sa.select(Fork, sa.func.coalesce(User.name, ""))
        .outerjoin(User, User.id == Fork.user_id)
        .where(Fork.working_copy_id == copy.id)
        .order_by(Fork.id)
    )
    return db.session.execute(statement).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenTab:
    """Another tab in which the copy is open."""

    name: str
    unsaved: bool
    seen_at: datetime


def other_tabs(copy: WorkingCopy, tab: str, actor: Actor, now: datetime) -> list[OpenTab]:
    """Return the other tabs that show the copy, of this user and of others."""
    is_open = sa.or_(Presence.seen_at > now - SEEN_WITHIN, Presence.unsaved)
    statement = (
        sa.select(User.name, Presence.unsaved, Presence.seen_at)
        .join(User, User.id == Presence.user_id)
        .where(Presence.working_copy_id == copy.id, is_open)
        .where(sa.or_(Presence.tab != tab, Presence.user_id != actor.user_id))
        .order_by(User.name, Presence.tab)
    )
    return [
        OpenTab(name=name, unsaved=unsaved, seen_at=seen_at)
        for name, unsaved, seen_at in db.session.execute(statement)
    ]


def names_of(model: type[Author | Topic]) -> dict[int, str]:
    """Return the name of each author, or of each topic."""
    rows = db.session.execute(sa.select(model.id, model.name).order_by(model.name, model.id))
    return dict(rows.all())


def pictures(cover_id: int | None) -> list[Media]:
    """Return the newest images, and the cover."""
    newest = sa.select(Media.id).order_by(Media.id.desc()).limit(PICTURES)
    statement = sa.select(Media).where(sa.or_(Media.id.in_(newest), Media.id == cover_id))
    return list(db.session.scalars(statement.order_by(Media.id.desc())))


def picture_path(media_id: int) -> str:
    """Return the path of a small file of an image."""
    files = sa.select(MediaFile).where(MediaFile.media_id == media_id).order_by(MediaFile.width)
    file = db.session.scalars(files.limit(1)).first()
    return "" if file is None else file.path
