"""Linked files: the bytes of one file."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import undefer

from app.extensions import db
from app.publishing.models import Attachment


def file(fingerprint: str, name: str) -> Attachment | None:
    """Return one file with its content, by the fingerprint and the name in its URL."""
    statement = (
        sa.select(Attachment)
        .where(Attachment.fingerprint == fingerprint, Attachment.name == name)
        .order_by(Attachment.id)
        .limit(1)
    )
    return db.session.scalar(statement.options(undefer(Attachment.content)))
