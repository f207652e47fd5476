"""Checks of setting values: base URLs, identifiers and choices; absolute URLs of pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ..http.uri import percent_encoded, target_of
from ..policy.policy import SettingError


def parse_base_url(setting: str, text: str) -> str:
    """Return scheme, host and port of an edge's URL; raises SettingError for anything else."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # brackets or a port that make no sense
        usable = False
    if not usable:
        raise SettingError(
            "{}: {text!r} is not a URL such as http://127.0.0.1:6081.", setting, text=text
        )
    if parts.username is not None or parts.password is not None:
        raise SettingError("{}: remove user name and password from the URL.", setting)
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise SettingError(
            "{}: {text!r} has a path or a query: give only scheme, host and port.",
            setting,
            text=text,
        )
    return f"{parts.scheme}://{parts.netloc}"


def parse_base_urls(setting: str, text: str) -> tuple[str, ...]:
    """Return the distinct base URLs of a list that is separated by commas."""
    urls = (parse_base_url(setting, entry.strip()) for entry in text.split(",") if entry.strip())
    if unique_urls := tuple(dict.fromkeys(urls)):
        return unique_urls
    raise SettingError("{}: give at least one URL.", setting)


def absolute_url(site: str, url: str) -> str:
    """Return the absolute URL of a page, percent-encoded, from its path and query."""
    if url.startswith(("http://", "https://")):
        site, url = url[: url.index("/", 8)] if "/" in url[8:] else url, target_of(url)
    return site.rstrip("/") + percent_encoded(target_of(url))


def require_absolute_url(site: str, url: str) -> str:
    """Return the absolute URL of a page in its registered spelling, from path and query."""
    return url if url.startswith(("http://", "https://")) else site.rstrip("/") + url


def require_identifier(values: Mapping[str, str], setting: str, pattern: str, expected: str) -> str:
    """Return the identifier in a setting; it becomes part of a path, so it is validated."""
    if not re.fullmatch(pattern, values[setting]):
        raise SettingError(
            "{} is {value!r}, which is not {expected}.",
            setting,
            value=values[setting],
            expected=expected,
        )
    return values[setting]


def require_choice(values: Mapping[str, str], setting: str, choices: Iterable[str]) -> str:
    """Return the choice in a setting; the first choice if the setting is empty."""
    allowed = tuple(choices)
    choice = values[setting].lower() or allowed[0]
    if choice not in allowed:
        raise SettingError(
            "{} is {value!r}: set one of {allowed}.",
            setting,
            value=values[setting],
            allowed=", ".join(allowed),
        )
    return choice
