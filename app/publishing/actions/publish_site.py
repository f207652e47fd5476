"""Save the site's settings from the studio, and record which pages this refreshes."""

from __future__ import annotations

from datetime import datetime

from app.publishing.editing import publications
from app.publishing.models import Publication
from app.publishing.permissions import Actor
from app.publishing.transaction import transaction

from .save_site import SiteDraft, save_site


def publish_site(
    draft: SiteDraft, *, expected_version: int | None, now: datetime, actor: Actor
) -> Publication:
    """Save the settings; raises what `save_site` raises."""

    def save() -> None:
        save_site(draft, expected_version=expected_version, actor=actor)

    with transaction() as session:
        return publications.record_publication(session, "settings", save, now=now, actor=actor)
