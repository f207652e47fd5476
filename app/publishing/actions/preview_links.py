"""Make and revoke preview links: they show a draft to people without an account."""

from __future__ import annotations

import base64
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy.orm import Session

from app.publishing.editing import validation, working_copies
from app.publishing.errors import Missing
from app.publishing.models import Post, PreviewLink, WorkingCopy
from app.publishing.models.preview_link import LABEL
from app.publishing.permissions import Actor, Subject, Verb, describe_post, permit
from app.publishing.transaction import transaction

LIFETIME = timedelta(days=7)
_BYTES = 20


def create_preview_link(
    copy_id: int, *, label: str = "", now: datetime, actor: Actor, lifetime: timedelta = LIFETIME
) -> tuple[PreviewLink, str]:
    """Make a link to a working copy; return it with its token, which is not stored.

    The token has 32 lower-case base32 digits, because the site lower-cases paths. Raises Missing,
    Forbidden or Invalid.
    """
    token = base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower()
    with transaction() as session:
        copy = working_copies.lock_copy(session, copy_id, actor)
        link = PreviewLink(
            working_copy_id=copy.id if copy.post_id is None else None,
            post_id=copy.post_id,
            token_hash=hash_token(token),
            label=validation.clean_line("label", label, limit=LABEL, empty=True),
            made_by=actor.user_id,
            created_at=now,
            expires_at=now + lifetime,
        )
        session.add(link)
        session.flush()
        return link, token


def revoke_preview_link(link_id: int, *, now: datetime, actor: Actor) -> PreviewLink:
    """End the link at once; raises Missing or Forbidden."""
    with transaction() as session:
        link = session.get(PreviewLink, link_id, with_for_update=True)
        if link is None:
            raise Missing("The preview link does not exist.")
        permit(session, actor, Verb.EDIT_COPY, _subject(session, link))
        if link.revoked_at is None:
            link.revoked_at = now
        return link


def hash_token(token: str) -> str:
    """Return what the database stores of a token."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def _subject(session: Session, link: PreviewLink) -> Subject:
    if link.post_id is not None:
        return describe_post(session, session.get_one(Post, link.post_id))
    copy = session.get_one(WorkingCopy, link.working_copy_id)
    return working_copies.describe_copy(session, copy)
