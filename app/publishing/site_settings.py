"""The settings of the site: one table with the name, kind, default, help and check of each.

The columns of the model, `flask content site`, `site.toml`, the export and the table in
`docs/writing.md` follow it. `app/config/settings.py` declares the settings of an installation.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from enum import StrEnum
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import sqlalchemy as sa

from .editing import validation
from .errors import Invalid
from .text.palette import DARK, LIGHT, ColourError, Scheme, check_accent, parse_colour

Check: TypeAlias = Callable[[str, Any], Any]
"""Takes the name of a setting and a value; returns the cleaned value, or raises Invalid."""

_LABEL = re.compile(r"[a-z][a-z0-9-]{0,29}")
_ADDRESS = re.compile(r"[^@\s<>:/,]+@[^@\s<>:/,]+\.[^@\s<>:/,]+")
MIN_PER_PAGE, MAX_PER_PAGE = 5, 100
MAX_LINKS = 20


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
    check: Check
    column: str
    type: sa.types.TypeEngine[Any]


def _line(limit: int, *, empty: bool = True) -> Check:
    return lambda name, value: validation.clean_line(name, value, limit=limit, empty=empty)


def _lines(limit: int) -> Check:
    return lambda name, value: validation.clean_lines(name, value, limit=limit).strip()


def _as_it_is(_name: str, value: Any) -> Any:
    return value


def _language(_name: str, value: str) -> str:
    return validation.validate_language(value)


def _per_page(name: str, value: int) -> int:
    if not MIN_PER_PAGE <= value <= MAX_PER_PAGE:
        raise Invalid(
            name,
            f"The posts per page are a number from {MIN_PER_PAGE} to {MAX_PER_PAGE}, not {value}.",
        )
    return value


@lru_cache(maxsize=1)
def _zones() -> Mapping[str, str]:
    """Return the names of all time zones by their lower-case spelling."""
    return {name.lower(): name for name in available_timezones()}


def check_time_zone(name: str, value: str) -> str:
    """Return the name of a time zone in its own spelling; raises Invalid for an unknown one."""
    key = value.strip().replace(" ", "_").lower()
    if zone := _zones().get(key):
        return zone
    near = get_close_matches(key, _zones(), n=1, cutoff=0.6)
    hint = f"; the nearest name is {_zones()[near[0]]}" if near else ""
    raise Invalid(name, f"{value[:60]!r} is not a time zone such as Europe/Berlin{hint}.")


def _accent(scheme: Scheme) -> Check:
    def check(name: str, value: str) -> str:
        if not value.strip():
            return ""
        try:
            colour = parse_colour(value)
            check_accent(colour, scheme)
        except ColourError as error:
            raise Invalid(name, str(error)) from None
        return colour

    return check


def _links(name: str, value: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    _limit(name, value)
    return [_link(name, link) for link in value]


def _link(name: str, link: Mapping[str, str]) -> dict[str, str]:
    text = validation.clean_line(name, link.get("text", ""), limit=100, empty=True)
    url = validation.clean_line(name, link.get("url", ""), limit=500, empty=True)
    if not text or not url:
        raise Invalid(name, "A link of the footer has a text and a URL; write both.")
    if not is_link(url):
        raise Invalid(name, f"{url!r} is not a link such as /imprint or https://example.com.")
    return {"text": text, "url": url}


def is_link(url: str) -> bool:
    """Tell whether a link of the footer may lead there: to a path of this site, the web or mail."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    if " " in url or "\\" in url:
        return False
    if parts.scheme in {"http", "https"}:
        return bool(parts.netloc)
    if parts.scheme == "mailto":
        return "@" in parts.path
    return not parts.scheme and not parts.netloc and url.startswith("/")


def _urls(name: str, value: Sequence[str]) -> list[str]:
    _limit(name, value)
    checked = [validation.validate_web_url(name, url, limit=500) for url in value]
    return [*dict.fromkeys(url for url in checked if url)]


def _limit(name: str, value: Sequence[Any]) -> None:
    if len(value) > MAX_LINKS:
        label = name.replace("_", " ")
        raise Invalid(name, f"There are {len(value)} {label}; {MAX_LINKS} are the most.")


def _preferences(values: tuple[str, str]) -> Check:
    """Return the check of `label=value, …`; labels are free, since they are no standard yet."""

    def check(name: str, text: str) -> str:
        line = validation.clean_line(name, text, limit=200, empty=True)
        pairs = [pair.partition("=") for pair in line.split(",") if pair.strip()]
        cleaned = {label.strip(): value.strip() for label, _, value in pairs}
        for label, value in cleaned.items():
            if not _LABEL.fullmatch(label) or value not in values:
                pair = f"{label}={value}"
                raise Invalid(
                    name,
                    f"{pair[:60]!r} is no preference: write a label of lower-case letters and "
                    f"hyphens, then ={values[0]} or ={values[1]}, and a comma between two.",
                )
        return ", ".join(f"{label}={value}" for label, value in cleaned.items())

    return check


def _contact(name: str, value: str) -> str:
    """Return a contact as a URI (RFC 9116, section 2.5.3)."""
    contact = validation.clean_line(name, value, limit=300, empty=True)
    if not contact:
        return ""
    if _ADDRESS.fullmatch(contact):
        contact = f"mailto:{contact}"
    is_mail = contact.startswith("mailto:") and _ADDRESS.fullmatch(contact.removeprefix("mailto:"))
    if not is_mail and not (contact.startswith("https://") and is_link(contact)):
        raise Invalid(
            name, f"{contact[:60]!r} is neither a mail address nor a URL that begins with https://."
        )
    return contact


def _day(name: str, value: str) -> str:
    text = validation.clean_line(name, value, limit=40, empty=True)
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise Invalid(name, f"{text!r} is not a day such as 2026-12-31.") from None


def _text(name: str, limit: int, help_text: str, *, default: str = "") -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=Kind.TEXT,
        default=default,
        help=help_text,
        check=_line(limit, empty=not default),
        column=name,
        type=sa.String(limit),
    )


def _switch(name: str, help_text: str) -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=Kind.SWITCH,
        default=False,
        help=help_text,
        check=_as_it_is,
        column=name,
        type=sa.Boolean(),
    )


def _colour(name: str, scheme: Scheme, help_text: str) -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=Kind.COLOUR,
        default="",
        help=help_text,
        check=_accent(scheme),
        column=name,
        type=sa.String(7),
    )


def _image(name: str, help_text: str) -> SiteSetting:
    return SiteSetting(
        name=name,
        kind=Kind.IMAGE,
        default=None,
        help=help_text,
        check=_as_it_is,
        column=f"{name}_id",
        type=sa.Integer(),
    )


def _list(name: str, kind: Kind, check: Check, help_text: str) -> SiteSetting:
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
        check=_line(2000),
        column="description",
        type=sa.Text(),
    ),
    SiteSetting(
        name="language",
        kind=Kind.TEXT,
        default="en",
        help="The language of its texts (BCP 47), such as en or de-CH.",
        check=_language,
        column="language",
        type=sa.String(35),
    ),
    SiteSetting(
        name="time_zone",
        kind=Kind.TEXT,
        default="UTC",
        help="The time zone of dates and of the archive's years (IANA), such as Europe/Berlin.",
        check=check_time_zone,
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
    _list("menu", Kind.SLUGS, _as_it_is, "The pages in the menu, in this order, by their slugs."),
    SiteSetting(
        name="footer_text",
        kind=Kind.MARKDOWN,
        default="",
        help="A text at the bottom of each page.",
        check=_lines(5000),
        column="footer_text",
        type=sa.Text(),
    ),
    _list("footer_links", Kind.LINKS, _links, "Further links in the footer, as text = URL."),
    SiteSetting(
        name="posts_per_page",
        kind=Kind.NUMBER,
        default=20,
        help="How many articles a numbered page lists; another number moves articles to other "
        "pages.",
        check=_per_page,
        column="posts_per_page",
        type=sa.Integer(),
    ),
    _text("copyright", 300, "The last line of each page."),
    _list(
        "profiles",
        Kind.URLS,
        _urls,
        'Pages of the site on other services; the links have rel="me", which verifies them.',
    ),
    SiteSetting(
        name="content_signal",
        kind=Kind.TEXT,
        default="",
        help="What crawlers may do with texts, for robots.txt, such as search=yes, ai-train=no.",
        check=_preferences(("yes", "no")),
        column="content_signal",
        type=sa.String(200),
    ),
    SiteSetting(
        name="content_usage",
        kind=Kind.TEXT,
        default="",
        help="The same for robots.txt and the header Content-Usage, such as train-ai=n.",
        check=_preferences(("y", "n")),
        column="content_usage",
        type=sa.String(200),
    ),
    SiteSetting(
        name="security_contact",
        kind=Kind.TEXT,
        default="",
        help="Where to report a vulnerability, for security.txt: a URL or a mail address.",
        check=_contact,
        column="security_contact",
        type=sa.String(300),
    ),
    SiteSetting(
        name="security_expires",
        kind=Kind.TEXT,
        default="",
        help="The day on which security.txt expires; without it there is none. Less than a year "
        "ahead, such as 2026-12-31.",
        check=_day,
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
