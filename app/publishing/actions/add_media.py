"""Add an image with its smaller copies; the same bytes are stored once."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from app.extensions import db
from app.publishing.editing import images
from app.publishing.models import Media


def add_media(content: bytes, name: str, *, now: datetime) -> Media:
    """Store an image under a name derived from `name`; raises Invalid for other files."""
    existing = images.find_media(db.session(), sha256(content).hexdigest())
    return existing or images.store(images.prepare(content, name), now=now)
