"""The checks of the site's settings: each returns the cleaned value, or raises Invalid."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeAlias
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from .editing import validation
from .errors import Invalid
from .text.palette import ColourError, Scheme, check_accent, parse_colour

Check: TypeAlias = Callable[[str, Any], Any]
"""Takes the name of a setting and a value; returns the cleaned value, or raises Invalid."""

_LABEL = re.compile(r"[a-z][a-z0-9-]{0,29}")
_ADDRESS = re.compile(r"[^@\s<>:/,]+@[^@\s<>:/,]+\.[^@\s<>:/,]+")
MIN_PER_PAGE, MAX_PER_PAGE = 5, 100
MAX_LINKS = 20


def check_line(limit: int, *, empty: bool = True) -> Check:
    """Return the check of a text of one line."""
    return lambda name, value: validation.clean_line(name, value, limit=limit, empty=empty)


def check_lines(limit: int) -> Check:
    """Return the check of a text of several lines."""
    return lambda name, value: validation.clean_lines(name, value, limit=limit).strip()


def accept(_name: str, value: Any) -> Any:
    """Return the value as it is."""
    return value


def check_language(_name: str, value: str) -> str:
    """Check a language tag (BCP 47)."""
    return validation.validate_language(value)


def check_per_page(name: str, value: int) -> int:
    """Check how many posts a page lists."""
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


def check_contrast(scheme: Scheme) -> Check:
    """Return the check of an accent colour, which needs contrast in its scheme."""

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


def check_links(name: str, value: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Check the links of the footer."""
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


def check_urls(name: str, value: Sequence[str]) -> list[str]:
    """Check web addresses, each once."""
    _limit(name, value)
    checked = [validation.validate_web_url(name, url, limit=500) for url in value]
    return [*dict.fromkeys(url for url in checked if url)]


def _limit(name: str, value: Sequence[Any]) -> None:
    if len(value) > MAX_LINKS:
        label = name.replace("_", " ")
        raise Invalid(name, f"There are {len(value)} {label}; {MAX_LINKS} are the most.")


def check_preferences(values: tuple[str, str]) -> Check:
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


def check_contact(name: str, value: str) -> str:
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


def check_day(name: str, value: str) -> str:
    """Check a day such as 2027-01-31; it may be empty."""
    text = validation.clean_line(name, value, limit=40, empty=True)
    try:
        return date.fromisoformat(text).isoformat() if text else ""
    except ValueError:
        raise Invalid(name, f"{text!r} is not a day such as 2026-12-31.") from None
