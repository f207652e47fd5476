"""The site's own settings."""

from __future__ import annotations

from sqlalchemy.orm import load_only

from app.extensions import db
from app.publishing.models import Site

_SHOWN = load_only(Site.title, Site.tagline, Site.description, Site.language, raiseload=True)


def settings() -> Site:
    """Return the site's settings; a site without a row has defaults."""
    return db.session.get(Site, 1, options=[_SHOWN]) or Site(
        title="Broadsheet",
        tagline="",
        description="",
        language="en",
    )
