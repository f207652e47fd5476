"""Add an image with its smaller copies; the same bytes are stored once."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from app.extensions import db
from app.publishing.editing import images
from app.publishing.models import Media


def add_media(content: bytes, name: str, *, now: datetime) -> Media:
    """Store an image under a name derived from `name`; raises Invalid for other files.

    Its metadata, such as the place where a photo was taken, is removed before.
    """
    clean = images.remove_metadata(content)
    existing = images.find_media(db.session(), sha256(clean).hexdigest())
    return existing or images.store(images.prepare(clean, name), now=now)
