"""The site's own settings."""

from __future__ import annotations

from app.extensions import db
from app.publishing.models import Site


def settings() -> Site:
    """What the site calls itself; a site that was never set up has a name too."""
    return db.session.get(Site, 1) or Site(
        title="Broadsheet",
        tagline="",
        description="",
        language="en",
    )
