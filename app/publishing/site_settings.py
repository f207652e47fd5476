"""The settings of the site: one table with the name, kind, default, help and check of each.

The columns of the model, `flask content site`, `site.toml`, the export and the table in
`docs/writing.md` follow it. `app/config/settings.py` declares the settings of an installation.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from . import setting_checks as checks
from .editing import validation
from .text.palette import DARK, LIGHT, Scheme


class JsonText(sa.types.TypeDecorator[Any]):
    """A list as JSON in a text column, whose default both databases compare by its text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:  # noqa: ARG002 - as declared
        """Return the JSON of a list."""
        return None if value is None else json.dumps(value, ensure_ascii=False)

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:  # noqa: ARG002 - as declared
        """Return the list that the JSON describes."""
        return None if value is None else json.loads(value)


class Kind(StrEnum):
    """How a setting is written in `site.toml`."""

    TEXT = "text"
    MARKDOWN = "Markdown"
    COLOUR = "colour"
    SWITCH = "true or false"
    NUMBER = "number"
    IMAGE = "image file"
    LINKS = "list of links"
    URLS = "list of URLs"
    SLUGS = "list of pages"


LISTS = frozenset({Kind.LINKS, Kind.URLS, Kind.SLUGS})


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteSetting:
    """One setting; `column` is its column in the table `site`, empty if it is stored elsewhere."""

    name: str
    kind: Kind
    default: Any
    help: str
    check: checks.Check
    column: str
    type: sa.types.TypeEngine[Any]


def _text(name: str, limit: int, help_text: str, *, default: str = "") -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=Kind.TEXT,
        default=default,
        help=help_text,
        check=checks.check_line(limit, empty=not default),
        column=name,
        type=sa.String(limit),
    )


def _switch(name: str, help_text: str) -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=Kind.SWITCH,
        default=False,
        help=help_text,
        check=checks.accept,
        column=name,
        type=sa.Boolean(),
    )


def _colour(name: str, scheme: Scheme, help_text: str) -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=Kind.COLOUR,
        default="",
        help=help_text,
        check=checks.check_contrast(scheme),
        column=name,
        type=sa.String(7),
    )


def _image(name: str, help_text: str) -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=Kind.IMAGE,
        default=None,
        help=help_text,
        check=checks.accept,
        column=f"{name}_id",
        type=sa.Integer(),
    )


def _list(name: str, kind: Kind, check: checks.Check, help_text: str) -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=kind,
        default=(),
        help=help_text,
        check=check,
        column="" if kind is Kind.SLUGS else name,
        type=JsonText(),
    )


SETTINGS = (
    _text("title", 200, "The name of the site.", default="Broadsheet"),
    _text("tagline", 300, "One line above the name."),
    SiteSetting(
        name="description",
        kind=Kind.TEXT,
        default="",
        help="What the site is about, for the footer, search engines and feeds.",
        check=checks.check_line(2000),
        column="description",
        type=sa.Text(),
    ),
    SiteSetting(
        name="language",
        kind=Kind.TEXT,
        default="en",
        help="The language of its texts (BCP 47), such as en or de-CH.",
        check=checks.check_language,
        column="language",
        type=sa.String(35),
    ),
    SiteSetting(
        name="time_zone",
        kind=Kind.TEXT,
        default="UTC",
        help="The time zone of dates and of the archive's years (IANA), such as Europe/Berlin.",
        check=checks.check_time_zone,
        column="time_zone",
        type=sa.String(64),
    ),
    _image("logo", "An image instead of the name at the top of each page."),
    _image("logo_dark", "The logo for the dark colour scheme; the same logo when empty."),
    _image("icon", "The square icon of browser tabs and phones; made from logo or name if empty."),
    _image(
        "social_image",
        "The image that other sites show with a link; made from logo and name if empty.",
    ),
    _colour("accent", LIGHT, "The colour of links and buttons, such as #8a1c5b."),
    _colour(
        "accent_dark",
        DARK,
        "The same for the dark colour scheme; made from the accent colour when empty.",
    ),
    _list(
        "menu", Kind.SLUGS, checks.accept, "The pages in the menu, in this order, by their slugs."
    ),
    SiteSetting(
        name="footer_text",
        kind=Kind.MARKDOWN,
        default="",
        help="A text at the bottom of each page.",
        check=checks.check_lines(5000),
        column="footer_text",
        type=sa.Text(),
    ),
    _list(
        "footer_links",
        Kind.LINKS,
        checks.check_links,
        "Further links in the footer, as text = URL.",
    ),
    SiteSetting(
        name="posts_per_page",
        kind=Kind.NUMBER,
        default=20,
        help="How many articles a numbered page lists; another number moves articles to other "
        "pages.",
        check=checks.check_per_page,
        column="posts_per_page",
        type=sa.Integer(),
    ),
    _text("copyright", 300, "The last line of each page."),
    _list(
        "profiles",
        Kind.URLS,
        checks.check_urls,
        'Pages of the site on other services; the links have rel="me", which verifies them.',
    ),
    SiteSetting(
        name="content_signal",
        kind=Kind.TEXT,
        default="",
        help="What crawlers may do with texts, for robots.txt, such as search=yes, ai-train=no.",
        check=checks.check_preferences(("yes", "no")),
        column="content_signal",
        type=sa.String(200),
    ),
    SiteSetting(
        name="content_usage",
        kind=Kind.TEXT,
        default="",
        help="The same for robots.txt and the header Content-Usage, such as train-ai=n.",
        check=checks.check_preferences(("y", "n")),
        column="content_usage",
        type=sa.String(200),
    ),
    SiteSetting(
        name="security_contact",
        kind=Kind.TEXT,
        default="",
        help="Where to report a vulnerability, for security.txt: a URL or a mail address.",
        check=checks.check_contact,
        column="security_contact",
        type=sa.String(300),
    ),
    SiteSetting(
        name="security_expires",
        kind=Kind.TEXT,
        default="",
        help="The day on which security.txt expires; without it there is none. Less than a year "
        "ahead, such as 2026-12-31.",
        check=checks.check_day,
        column="security_expires",
        type=sa.String(10),
    ),
    _switch("emoji", "Whether :smile: becomes an emoji."),
    _switch("smart_punctuation", "Whether quotes and dashes become typographic."),
    SiteSetting(
        name="slugs",
        kind=Kind.TEXT,
        default="ascii",
        help="How new slugs are made of titles: `ascii`, or `unicode` for the title's own script.",
        check=lambda _name, value: validation.validate_slug_style(value),
        column="slugs",
        type=sa.String(10),
    ),
)

BY_NAME = {setting.name: setting for setting in SETTINGS}
BY_COLUMN = {setting.column: setting for setting in SETTINGS if setting.column}
TEXT_SETTINGS = ("emoji", "smart_punctuation")
"""The settings that apply when a post is rendered."""


def nearest_name(name: str, names: Sequence[str]) -> str:
    """Return the name that a person may have meant by an unknown one."""
    starts = [other for other in names if other.startswith(name) or name.startswith(other)]
    near = starts or get_close_matches(name, names, n=1, cutoff=0)
    return near[0]
