"""Add a file that posts can link to; the same bytes are stored once."""

from __future__ import annotations

from datetime import datetime

from app.publishing.editing import files
from app.publishing.files import MAX_BYTES
from app.publishing.models import Attachment


def add_file(content: bytes, name: str, *, now: datetime, most: int = MAX_BYTES) -> Attachment:
    """Store a file under a name derived from `name`; raises Invalid for one that is refused.

    `most` is the largest accepted number of bytes.
    """
    return files.store(files.prepare(content, name, most=most), now=now)
