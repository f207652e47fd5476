"""Attachments: files that posts link to, such as PDF, audio, video and archives."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model
from app.publishing.files import PREFIX


class Attachment(Model):
    """One linked file; the same bytes stored twice under one name are one row."""

    __tablename__ = "attachment"
    __table_args__ = (sa.UniqueConstraint("digest", "name", name="uq_attachment_digest_name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 of the content, in hexadecimal."""
    fingerprint: Mapped[str] = mapped_column(sa.String(20), index=True)
    """The first 20 digits of `digest`: the folder in the URL."""
    name: Mapped[str] = mapped_column(sa.String(200))
    content_type: Mapped[str] = mapped_column(sa.String(100))
    size: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(Instant)
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True, deferred_group="content")

    @property
    def path(self) -> str:
        """Where the file is served."""
        return f"{PREFIX}{self.fingerprint}/{self.name}"
