"""Add an image with its smaller copies; the same bytes are stored once."""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256

from app.extensions import db
from app.publishing.editing import images
from app.publishing.errors import Invalid
from app.publishing.models import Media
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction


def add_media(content: bytes, name: str, *, now: datetime, actor: Actor) -> Media:
    """Store an image under a name derived from `name`; raises Forbidden, Invalid for other files.

    Its metadata, such as the place where a photo was taken, is removed before.
    """
    permit(db.session(), actor, Verb.UPLOAD_MEDIA)  # before the slow part
    clean = images.remove_metadata(content)
    existing = images.find_media(db.session(), sha256(clean).hexdigest())
    if existing is not None:
        return existing
    prepared = images.prepare(clean, name)
    with transaction() as session:
        permit(session, actor, Verb.UPLOAD_MEDIA)
        return images.store(prepared, now=now)


def add_site_image(setting: str, content: bytes, name: str, *, now: datetime, actor: Actor) -> int:
    """Store the image of a site setting; returns its row. Raises Invalid, which names the file."""
    label = setting.replace("_", " ")
    try:
        return add_media(content, name, now=now, actor=actor).id
    except Invalid as error:
        raise Invalid(setting, f"The {label} {name!r} can't be used: {error}") from None
