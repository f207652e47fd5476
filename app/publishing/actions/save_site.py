"""Save the site's own settings, which pages show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.publishing.editing import local_dates, lookups, rendering
from app.publishing.errors import Conflict, Invalid
from app.publishing.models import Media, Site
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.site_settings import BY_COLUMN, Kind
from app.publishing.transaction import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDraft:
    """The columns of the site's settings; `app/publishing/site_settings.py` explains each.

    `emoji` and `smart_punctuation` apply when a post is rendered: posts that are saved already
    have to be rendered again (`render_again`). `slugs` applies to new slugs.
    Images are named by their rows in `media`.
    """

    title: str
    tagline: str = ""
    description: str = ""
    language: str = "en"
    time_zone: str = "UTC"
    logo_id: int | None = None
    logo_dark_id: int | None = None
    icon_id: int | None = None
    social_image_id: int | None = None
    accent: str = ""
    accent_dark: str = ""
    footer_text: str = ""
    footer_links: Sequence[Mapping[str, str]] = ()
    posts_per_page: int = 20
    copyright: str = ""
    profiles: Sequence[str] = ()
    content_signal: str = ""
    content_usage: str = ""
    security_contact: str = ""
    security_expires: str = ""
    emoji: bool = False
    smart_punctuation: bool = False
    slugs: str = "ascii"


def save_site(draft: SiteDraft, *, expected_version: int | None, actor: Actor) -> Site:
    """Save the settings; `expected_version` is None if there are none yet.

    Another time zone changes the local dates of posts, and no instant. Raises Forbidden, Invalid,
    Missing for an unknown image, or Conflict when they were saved since the caller loaded them.
    """
    values = checked(draft)
    with transaction() as session:
        permit(session, actor, Verb.SAVE_SITE)
        site = session.get(Site, 1, with_for_update=True, populate_existing=True)
        if (site.version if site else None) != expected_version:
            raise Conflict(
                "Another user has saved the site's settings since you loaded them. "
                "Load them again and repeat your changes."
            )
        _check_images(session, values)
        if site is None:
            site = Site(id=1, **values)
            session.add(site)
        lookups.set_changed(site, values)
        lookups.set_changed(site, {"footer_html": _render_footer(session, site.footer_text)})
        lookups.flush_or_conflict(
            session, "Another user has just saved the site's settings; load them again."
        )
        local_dates.update_all(session)
        return site


def checked(draft: SiteDraft) -> dict[str, Any]:
    """Return the cleaned columns of the site; raises Invalid."""
    return {
        column: BY_COLUMN[column].check(BY_COLUMN[column].name, value)
        for column, value in asdict(draft).items()
    }


def _check_images(session: Session, values: Mapping[str, Any]) -> None:
    """Raise Missing for an image that is not stored, and Invalid for an icon that is not square."""
    images = {
        column: values[column]
        for column, setting in BY_COLUMN.items()
        if setting.kind is Kind.IMAGE and values[column] is not None
    }
    lookups.require_existing(session, Media, images.values())
    if "icon_id" in images:
        icon = session.get_one(Media, images["icon_id"])
        if icon.width != icon.height:
            raise Invalid(
                "icon",
                f"The icon {icon.name} is {icon.width} by {icon.height} pixels; an icon is square.",
            )


def _render_footer(session: Session, text: str) -> str:
    return rendering.render_text(session, "", text).html if text else ""
