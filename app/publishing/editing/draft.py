"""A draft: all fields of a post that a writer edits, before it is saved."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.publishing.errors import Invalid
from app.publishing.models import Kind
from app.publishing.paths import RESERVED
from app.publishing.text import TextError
from app.publishing.text.rendering import prepare

from . import validation

TITLE = 300
SUMMARY = 2000
COVER_ALT = 500
MENU = 10_000
FEED_ID = 500

_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The text and the other fields of a post; some empty fields get a default.

    `slug` is made from the title and `summary` from the body when they are empty. `published_at`
    and `updated_at` say when a text that was published elsewhere came out and last changed, and
    `feed_id` identified it in the feed there; only a new post takes it. `language` is a language
    tag (BCP 47), or None for the language of the site. `extra_fields` are those of an imported
    file that have no meaning here; only a new post takes them.
    """

    title: str
    body_markdown: str = ""
    kind: Kind = Kind.ARTICLE
    slug: str = ""
    summary: str = ""
    author_ids: tuple[int, ...] = ()
    topic_ids: tuple[int, ...] = ()
    cover_id: int | None = None
    cover_alt: str = ""
    menu_position: int | None = None
    published_at: datetime | None = None
    updated_at: datetime | None = None
    feed_id: str = ""
    language: str | None = None
    extra_fields: Mapping[str, Any] = field(default_factory=dict)


def checked(draft: Draft) -> Draft:
    """Return the cleaned draft; raises Invalid for the first invalid field."""
    for name in ("published_at", "updated_at"):
        if (instant := getattr(draft, name)) is not None:
            validation.require_timezone(name, instant)
    return replace(
        draft,
        title=validation.clean_line("title", draft.title, limit=TITLE),
        slug=validate_post_slug(draft.kind, draft.slug) if draft.slug else "",
        summary=validation.clean_line("summary", draft.summary, limit=SUMMARY, empty=True),
        body_markdown=body(draft.body_markdown),
        author_ids=tuple(dict.fromkeys(draft.author_ids)),
        topic_ids=tuple(dict.fromkeys(draft.topic_ids)),
        cover_alt=validation.clean_line("cover_alt", draft.cover_alt, limit=COVER_ALT, empty=True),
        menu_position=_menu_position(draft),
        feed_id=validation.clean_line("feed_id", draft.feed_id, limit=FEED_ID, empty=True),
        language=validation.validate_language(draft.language) if draft.language else None,
    )


def validate_post_slug(kind: Kind, slug: str) -> str:
    """Return the slug; raises Invalid if a post of this kind can't have it."""
    return validation.validate_slug(slug, reserved=RESERVED if kind is Kind.PAGE else ())


def body(markdown: str) -> str:
    """Return the text as it is stored: without control characters and surrounding blank lines."""
    try:
        return _BLANK_LINES.sub("", prepare(markdown)).rstrip()
    except TextError as error:
        raise Invalid("body_markdown", str(error)) from None


def _menu_position(draft: Draft) -> int | None:
    position = draft.menu_position
    if position is None:
        return None
    if draft.kind is not Kind.PAGE:
        raise Invalid("menu_position", "Only a page can be in the menu; leave the position empty.")
    if not 0 <= position <= MENU:
        raise Invalid("menu_position", f"The menu position is a number from 0 to {MENU}.")
    return position
