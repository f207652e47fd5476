"""Add a file that posts can link to; the same bytes are stored once."""

from __future__ import annotations

from datetime import datetime

from app.publishing.editing import files
from app.publishing.files import MAX_BYTES
from app.publishing.models import Attachment
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction


def add_file(
    content: bytes, name: str, *, now: datetime, actor: Actor, most: int = MAX_BYTES
) -> Attachment:
    """Store a file under a name derived from `name`.

    Raises Forbidden, and Invalid for a file that is refused. `most` is the largest accepted
    number of bytes.
    """
    prepared = files.prepare(content, name, most=most)
    with transaction() as session:
        permit(session, actor, Verb.UPLOAD_MEDIA)
        return files.store(prepared, now=now)
