"""What a person wrote into a setting: addresses, identifiers and choices; addresses of pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ..http.uri import percent_encoded, target_of
from ..policy.policy import PolicyError


def parse_base_url(setting: str, text: str) -> str:
    """The address of an edge: scheme, host and port; raises PolicyError for anything else."""
    try:
        parts = urlsplit(text)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # brackets or a port that make no sense
        usable = False
    if not usable:
        raise PolicyError(f"{setting}: {text!r} is no address such as http://127.0.0.1:6081.")
    if parts.username is not None or parts.password is not None:
        raise PolicyError(f"{setting}: leave name and password out of the address.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise PolicyError(f"{setting}: {text!r} has a path; say scheme, host and port alone.")
    return f"{parts.scheme}://{parts.netloc}"


def parse_base_urls(setting: str, text: str) -> tuple[str, ...]:
    """The addresses of several edges, separated by commas, each once."""
    urls = (parse_base_url(setting, entry.strip()) for entry in text.split(",") if entry.strip())
    if unique_urls := tuple(dict.fromkeys(urls)):
        return unique_urls
    raise PolicyError(f"{setting}: name at least one address.")


def absolute_url(site: str, url: str) -> str:
    """The absolute URL of a page, percent-encoded, from its path and query."""
    if url.startswith(("http://", "https://")):
        site, url = url[: url.index("/", 8)] if "/" in url[8:] else url, target_of(url)
    return site.rstrip("/") + percent_encoded(target_of(url))


def require_absolute_url(site: str, url: str) -> str:
    """The whole address of a page as it was registered, from its path and query."""
    return url if url.startswith(("http://", "https://")) else site.rstrip("/") + url


def require_identifier(values: Mapping[str, str], setting: str, pattern: str, expected: str) -> str:
    """The identifier that a setting has; it becomes a part of a path, so it is checked."""
    if not re.fullmatch(pattern, values[setting]):
        raise PolicyError(f"{setting} is {values[setting]!r}, which is not {expected}.")
    return values[setting]


def require_choice(values: Mapping[str, str], setting: str, choices: Iterable[str]) -> str:
    """The choice that a setting has made; the first one where it says nothing."""
    allowed = tuple(choices)
    choice = values[setting].lower() or allowed[0]
    if choice not in allowed:
        raise PolicyError(f"{setting} is {values[setting]!r}: say {', '.join(allowed)}.")
    return choice
