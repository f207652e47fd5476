"""The site's setting of slugs, and the check of a slug that a person has chosen."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.errors import Invalid
from app.publishing.models import Site
from app.publishing.slugs import STYLES, SlugStyle, check_slug


def find_slug_style(session: Session) -> SlugStyle:
    """Return how slugs are made of titles on this site."""
    value = session.scalar(sa.select(Site.slugs))
    return next((style for style in STYLES if style == value), "ascii")


def require_slug_style(session: Session, slug: str) -> None:
    """Raise Invalid for a slug in another script on a site with ASCII slugs."""
    if slug.isascii():
        return
    try:
        check_slug(slug, style=find_slug_style(session))
    except ValueError as error:
        hint = 'The setting slugs = "unicode" allows letters of every script.'
        raise Invalid("slug", f"{error} {hint}") from None
