"""Images that an import has fetched from other sites, so that it requests none of them twice."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model

MAX_URL = 1000


class RemoteImage(Model):
    """The URL of an image on another site, and the stored image that it gave."""

    __tablename__ = "remote_image"

    id: Mapped[int] = mapped_column(primary_key=True)
    url: Mapped[str] = mapped_column(sa.String(MAX_URL), unique=True)
    media_id: Mapped[int] = mapped_column(sa.ForeignKey("media.id", ondelete="CASCADE"), index=True)
    fetched_at: Mapped[datetime] = mapped_column(Instant)
