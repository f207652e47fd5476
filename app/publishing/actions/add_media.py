"""Add an image: the original and smaller copies; the same bytes again are the same row."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from app.extensions import db
from app.publishing.models import Media

from . import uploads


def add_media(content: bytes, name: str, *, now: datetime) -> Media:
    """Store an image under a name that is made of `name`; raises Invalid for what is none."""
    known = uploads.find_media(db.session(), sha256(content).hexdigest())
    return known or uploads.store(uploads.prepare(content, name), now=now)
