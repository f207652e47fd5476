"""Linked files: check and store them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing import files
from app.publishing.errors import Invalid
from app.publishing.models import Attachment
from app.publishing.transaction import transaction

from . import lookups

FINGERPRINT = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedFile:
    """A linked file that has been checked, but not stored."""

    content: bytes
    info: files.FileInfo

    @property
    def path(self) -> str:
        """Where the file will be served."""
        return f"{files.PREFIX}{self.info.digest[:FINGERPRINT]}/{self.info.name}"


def find_attachment(session: Session, info: files.FileInfo) -> Attachment | None:
    """Return the stored file with the same bytes and the same name, or None."""
    statement = sa.select(Attachment).where(
        Attachment.digest == info.digest, Attachment.name == info.name
    )
    return session.scalars(statement).one_or_none()


def prepare(content: bytes, name: str, *, most: int) -> PreparedFile:
    """Check a file of at most `most` bytes; raises Invalid for one that is not carried."""
    try:
        return PreparedFile(content=content, info=files.inspect(content, name, most=most))
    except files.FileError as error:
        raise Invalid("file", str(error)) from None


def store(file: PreparedFile, *, now: datetime) -> Attachment:
    """Write the file, unless another transaction has done it."""
    info = file.info
    with transaction() as session:
        existing = find_attachment(session, info)
        if existing is not None:
            return existing
        attachment = Attachment(
            digest=info.digest,
            fingerprint=info.digest[:FINGERPRINT],
            name=info.name,
            content_type=info.media_type,
            size=info.size,
            created_at=now,
            content=file.content,
        )
        session.add(attachment)
        lookups.flush_or_conflict(session, "Another user has just stored the same file; try again.")
        return attachment
