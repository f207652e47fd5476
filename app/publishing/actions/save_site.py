"""Save the site's own settings, which pages show."""

from __future__ import annotations

from dataclasses import dataclass

from app.publishing.editing import lookups, validation
from app.publishing.errors import Conflict
from app.publishing.models import Site
from app.publishing.permissions import Actor, Verb, permit
from app.publishing.transaction import transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteDraft:
    """The fields of the site's settings; the language is a tag such as `en` or `de-CH`.

    `emoji` and `smart_punctuation` apply when a post is rendered: posts that are saved already
    have to be rendered again (`render_again`). `slugs` applies to new slugs: `ascii` or `unicode`.
    """

    title: str
    tagline: str = ""
    description: str = ""
    language: str = "en"
    emoji: bool = False
    smart_punctuation: bool = False
    slugs: str = "ascii"


def save_site(draft: SiteDraft, *, expected_version: int | None, actor: Actor) -> Site:
    """Save the settings; `expected_version` is None if there are none yet.

    Raises Forbidden, Invalid, or Conflict when they were saved since the caller loaded them.
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
        if site is None:
            site = Site(id=1, **values)
            session.add(site)
        lookups.set_changed(site, values)
        lookups.flush_or_conflict(
            session, "Another user has just saved the site's settings; load them again."
        )
        return site


def checked(draft: SiteDraft) -> dict[str, str | bool]:
    """Return the cleaned columns of the site; raises Invalid."""
    return {
        "title": validation.clean_line("title", draft.title, limit=200),
        "tagline": validation.clean_line("tagline", draft.tagline, limit=300, empty=True),
        "description": validation.clean_line(
            "description", draft.description, limit=2000, empty=True
        ),
        "language": validation.validate_language(draft.language),
        "emoji": draft.emoji,
        "smart_punctuation": draft.smart_punctuation,
        "slugs": validation.validate_slug_style(draft.slugs),
    }
