"""Media: an image that was uploaded, and the files that are made of it."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.database import Instant
from app.extensions import Model


class Media(Model):
    """One image by its content; the same bytes uploaded twice are one row."""

    __tablename__ = "media"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(sa.String(64), unique=True)
    """SHA-256 of the stored original, which has no metadata, in hexadecimal."""
    name: Mapped[str] = mapped_column(sa.String(200))
    content_type: Mapped[str] = mapped_column(sa.String(100))
    width: Mapped[int] = mapped_column()
    height: Mapped[int] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(Instant)

    files: Mapped[list[MediaFile]] = relationship(
        order_by="MediaFile.width, MediaFile.id", viewonly=True
    )


class MediaFile(Model):
    """One file of an image: the original, or a rendition at some width."""

    __tablename__ = "media_file"

    id: Mapped[int] = mapped_column(primary_key=True)
    media_id: Mapped[int] = mapped_column(sa.ForeignKey("media.id", ondelete="CASCADE"), index=True)
    fingerprint: Mapped[str] = mapped_column(sa.String(20), index=True)
    """The first 20 hexadecimal digits of the content's SHA-256: the folder in its URL."""
    name: Mapped[str] = mapped_column(sa.String(220))
    content_type: Mapped[str] = mapped_column(sa.String(100))
    width: Mapped[int] = mapped_column()
    height: Mapped[int] = mapped_column()
    size: Mapped[int] = mapped_column()
    original: Mapped[bool] = mapped_column(default=False)
    content: Mapped[bytes] = mapped_column(sa.LargeBinary, deferred=True, deferred_group="content")

    @property
    def path(self) -> str:
        """Where the file is served."""
        return f"/media/{self.fingerprint}/{self.name}"
