"""What a person wrote into a setting: addresses, identifiers and choices; addresses of pages."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from ..http.uri import percent_encoded, target_of
from ..policy import PolicyError


def address(setting: str, said: str) -> str:
    """The address of an edge: scheme, host and port; raises PolicyError for anything else."""
    try:
        parts = urlsplit(said)
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # brackets or a port that make no sense
        usable = False
    if not usable:
        raise PolicyError(f"{setting}: {said!r} is no address such as http://127.0.0.1:6081.")
    if parts.username is not None or parts.password is not None:
        raise PolicyError(f"{setting}: leave name and password out of the address.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise PolicyError(f"{setting}: {said!r} has a path; say scheme, host and port alone.")
    return f"{parts.scheme}://{parts.netloc}"


def addresses(setting: str, said: str) -> tuple[str, ...]:
    """The addresses of several edges, separated by commas, each once."""
    found = (address(setting, each.strip()) for each in said.split(",") if each.strip())
    if listed := tuple(dict.fromkeys(found)):
        return listed
    raise PolicyError(f"{setting}: name at least one address.")


def absolute_url(site: str, url: str) -> str:
    """The absolute URL of a page, percent-encoded, from its path and query."""
    if url.startswith(("http://", "https://")):
        site, url = url[: url.index("/", 8)] if "/" in url[8:] else url, target_of(url)
    return site.rstrip("/") + percent_encoded(target_of(url))


def whole(site: str, url: str) -> str:
    """The whole address of a page as it was registered, from its path and query."""
    return url if url.startswith(("http://", "https://")) else site.rstrip("/") + url


def identifier(values: Mapping[str, str], setting: str, pattern: str, right: str) -> str:
    """The identifier that a setting has; it becomes a part of a path, so it is checked."""
    if not re.fullmatch(pattern, values[setting]):
        raise PolicyError(f"{setting} is {values[setting]!r}, which is not {right}.")
    return values[setting]


def one_of(values: Mapping[str, str], setting: str, choices: Iterable[str]) -> str:
    """The choice that a setting has made; the first one where it says nothing."""
    known = tuple(choices)
    found = values[setting].lower() or known[0]
    if found not in known:
        raise PolicyError(f"{setting} is {values[setting]!r}: say {', '.join(known)}.")
    return found
