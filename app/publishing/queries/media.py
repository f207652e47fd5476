"""Media: the bytes of one file."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from app.extensions import db
from app.publishing.models import MediaFile


def file(fingerprint: str, name: str) -> MediaFile | None:
    """One file with its content, by the fingerprint and the name in its URL."""
    statement = (
        sa.select(MediaFile)
        .where(MediaFile.fingerprint == fingerprint, MediaFile.name == name)
        .order_by(MediaFile.id)
        .limit(1)
    )
    return db.session.scalar(statement.options(undefer(MediaFile.content)))


def original(fingerprint: str) -> MediaFile | None:
    """The original of an image with its content, by the fingerprint in its URL."""
    statement = (
        sa.select(MediaFile)
        .where(MediaFile.fingerprint == fingerprint, MediaFile.original)
        .order_by(MediaFile.id)
        .limit(1)
    )
    return db.session.scalar(statement.options(undefer(MediaFile.content)))
