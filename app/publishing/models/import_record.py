"""Records of imported files, so that a second import changes nothing."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Instant
from app.extensions import Model


class Imported(Model):
    """One source file: the address it had, what it held, and the post that it became."""

    __tablename__ = "imported"

    id: Mapped[int] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(sa.String(500), unique=True)
    """The path that the post had where it came from."""
    digest: Mapped[str] = mapped_column(sa.String(64))
    """SHA-256 of the file, its images and the importer's own version."""
    path: Mapped[str | None] = mapped_column(sa.String(500), index=True)
    """The path of the file below the root of its site; None for an import by version 1.0."""
    folder: Mapped[str | None] = mapped_column(sa.String(500))
    """The root of its site on the computer that imported it."""
    body_digest: Mapped[str | None] = mapped_column(sa.String(64), index=True)
    """SHA-256 of the text below the front matter: it recognises a file under a new name."""
    pruned_version: Mapped[int | None]
    """The version of the post after `--prune` archived it; a person has changed a later one."""
    post_id: Mapped[int] = mapped_column(sa.ForeignKey("post.id", ondelete="CASCADE"), index=True)
    imported_at: Mapped[datetime] = mapped_column(Instant)
