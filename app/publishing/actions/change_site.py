"""Change some of the site's settings and leave the others as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.extensions import db
from app.publishing.errors import Invalid
from app.publishing.models import Site
from app.publishing.permissions import Actor
from app.publishing.site_settings import BY_COLUMN

from .save_site import SiteDraft, save_site


def change_site(changes: Mapping[str, Any], *, actor: Actor) -> Site:
    """Save these columns of the settings; raises what `save_site` raises."""
    site = db.session.get(Site, 1, populate_existing=True)
    draft = SiteDraft(**(current_columns(site) | dict(changes)))
    return save_site(draft, expected_version=site.version if site else None, actor=actor)


def current_columns(site: Site | None) -> dict[str, Any]:
    """Return the columns of the settings, or the defaults if there is no row."""
    if site is None:
        return {column: setting.default for column, setting in BY_COLUMN.items()}
    return {column: getattr(site, column) for column in BY_COLUMN}


def find_faults(changes: Mapping[str, Any]) -> dict[str, Invalid]:
    """Return the error of each column whose value can't be saved."""
    faults: dict[str, Invalid] = {}
    for column, value in changes.items():
        setting = BY_COLUMN[column]
        try:
            setting.check(setting.name, value)
        except Invalid as error:
            faults[column] = error
    return faults
