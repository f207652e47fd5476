"""Validation of single fields: cleaned text, limited lengths, aware datetimes.

Pure: no database, no clock. Each raises Invalid, naming the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from urllib.parse import urlsplit

from app.publishing.errors import Invalid
from app.publishing.languages import TagError, parse_tag
from app.publishing.slugs import STYLES, check_slug

# Unicode's control characters, surrogates and non-characters: PostgreSQL, XML or a terminal
# would choke on them. Tab and line end are kept where text has lines.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\ufeff]")


def clean_line(field: str, value: str, *, limit: int, empty: bool = False) -> str:
    """Return text on one line, without control characters, with single spaces, within `limit`."""
    cleaned = " ".join(_CONTROL.sub(" ", value).split())
    if not cleaned and not empty:
        raise Invalid(field, f"The {_field_label(field)} is empty; write one.")
    return _limit_length(field, cleaned, limit)


def clean_lines(field: str, value: str, *, limit: int) -> str:
    """Return text on several lines, without control characters and within `limit`."""
    unified = value.replace("\r\n", "\n").replace("\r", "\n")
    return _limit_length(field, _CONTROL.sub("", unified), limit)


def _limit_length(field: str, value: str, limit: int) -> str:
    if len(value) > limit:
        raise Invalid(
            field,
            f"The {_field_label(field)} has {len(value)} characters; {limit} is the most. "
            "Shorten it.",
        )
    return value


def _field_label(field: str) -> str:
    return field.replace("_markdown", "").replace("_", " ")


def validate_slug(value: str, *, reserved: Iterable[str] = ()) -> str:
    """Return a slug of any script that is valid in a URL."""
    try:
        return check_slug(value, reserved=frozenset(reserved), style="unicode")
    except ValueError as error:
        raise Invalid("slug", str(error)) from None


def validate_slug_style(value: str) -> str:
    """Return the setting of slugs."""
    if value not in STYLES:
        raise Invalid("slugs", f"The setting slugs is {value!r}; write one of {', '.join(STYLES)}.")
    return value


def require_timezone(field: str, value: datetime) -> datetime:
    """Return the instant; raises Invalid if it has no time zone."""
    if value.tzinfo is None:
        raise Invalid(field, f"The {_field_label(field)} {value} says no time zone; add one.")
    return value


def validate_language(value: str) -> str:
    """Return a language tag in its canonical spelling."""
    try:
        return parse_tag(value)
    except TagError as error:
        raise Invalid("language", f"{error}.") from None


def validate_web_url(field: str, value: str, *, limit: int) -> str:
    """Return an http(s) URL, or the empty string."""
    cleaned = clean_line(field, value, limit=limit, empty=True)
    try:
        parts = urlsplit(cleaned)
    except ValueError:
        parts = urlsplit("")
    if cleaned and (parts.scheme not in {"http", "https"} or not parts.netloc or " " in cleaned):
        raise Invalid(field, f"{cleaned!r} is not an address such as https://example.com/me.")
    return cleaned
