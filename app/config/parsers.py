"""Parsers from the text of a setting to its value.

A parser raises ValueError that says what was expected: "a whole number".
"""

from __future__ import annotations

import json
import re
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


def text(value: str) -> str:
    """Any text."""
    return value


def switch(value: str) -> bool:
    """On or off, in any of the usual spellings."""
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off"}:
        return False
    raise ValueError("on or off")


def whole(value: str) -> int:
    """A whole number that is not negative."""
    if not re.fullmatch(r"[0-9]{1,12}", value.strip()):
        raise ValueError("a whole number")
    return int(value)


def count(value: str) -> int:
    """A whole number from 1."""
    if not re.fullmatch(r"[0-9]{1,4}", value.strip()) or not int(value):
        raise ValueError("a whole number from 1 to 9999")
    return int(value)


def port(value: str) -> int:
    """A TCP port."""
    if not re.fullmatch(r"[0-9]{1,5}", value.strip()) or not 1 <= int(value) <= 65535:  # noqa: PLR2004 - the last TCP port
        raise ValueError("a port from 1 to 65535")
    return int(value)


def size(value: str) -> int:
    """A number of bytes, such as 1048576, 512KB or 256MB."""
    match = re.fullmatch(r"([0-9]{1,12})\s*([kmg]?)i?b?", value.strip().lower())
    if not match:
        raise ValueError("a number of bytes, such as 256MB")
    return int(match[1]) * {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}[match[2]]


def span(value: str) -> timedelta:
    """A span of time, such as 60, 60s, 5m, 12h or 1d."""
    match = re.fullmatch(r"([0-9]{1,9})\s*([smhd]?)", value.strip().lower())
    if not match:
        raise ValueError("a span of time, such as 60s, 5m, 12h or 1d")
    unit = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}[match[2]]
    return timedelta(**{unit: int(match[1])})


def names(value: str) -> list[str]:
    """Names, separated by commas."""
    return [name.strip() for name in value.split(",") if name.strip()]


def hosts(value: str) -> list[str] | None:
    """Host names in lower case, separated by commas or as a JSON list; empty means every host."""
    host_names = _json_names(value) if value.strip().startswith("[") else names(value)
    for name in host_names:
        if not re.fullmatch(r"\.?([\w-]+\.)*[\w-]+|\[[0-9A-Fa-f:.]+\]", name):
            raise ValueError(
                "host names without scheme and port, separated by commas, "
                "such as example.com, .example.org",
            )
    return [name.lower() for name in host_names] or None


def _json_names(value: str) -> list[str]:
    try:
        host_names = json.loads(value)
    except ValueError:
        host_names = None
    if not isinstance(host_names, list) or not all(isinstance(name, str) for name in host_names):
        raise ValueError('a list of host names, such as ["example.com"]')
    return host_names


def site_url(value: str) -> str:
    """The URL of the site: scheme and host, no path."""
    if not value.strip():
        return ""
    try:
        parts = urlsplit(value.strip())
        usable = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:  # brackets or a port that make no sense
        usable = False
    if not usable:
        raise ValueError("an address such as https://example.com")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("an address with no path, such as https://example.com")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def database_url(value: str) -> str:
    """A database URL; the short forms that platforms use are accepted."""
    driver_url = re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", value.strip())
    try:
        url = make_url(driver_url)
    except (ArgumentError, ValueError):
        raise ValueError("an address such as postgresql://user:password@host/name") from None
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise ValueError("an address that begins with sqlite:/// or postgresql://")
    if url.drivername == "sqlite" and (url.database or ":memory:") == ":memory:":
        raise ValueError("the address of a file, such as sqlite:///broadsheet.db")
    return driver_url


def bind(value: str) -> str:
    """An address to listen on: a host, or a Unix socket such as unix:/run/broadsheet.sock."""
    if value and not re.fullmatch(r"unix:/\S+|[\w.-]+|\[?[0-9A-Fa-f:.]+\]?", value.strip()):
        raise ValueError("a host such as 0.0.0.0 (the port goes into PORT), or unix:/path")
    return value.strip()


def level(value: str) -> str:
    """A log level."""
    lowered = value.strip().lower()
    if lowered not in {"debug", "info", "warning", "error"}:
        raise ValueError("debug, info, warning or error")
    return lowered


def seconds(value: str) -> int:
    """A span of time, such as 60, 60s, 5m, 12h or 1d, as whole seconds."""
    return int(span(value).total_seconds())


def edges(value: str) -> str:
    """The names of the CDNs in front of the site; empty for none."""
    choices = {"cloudflare", "fastly", "cloudfront", "bunny", "varnish", "nginx", "generic"}
    edge_names = [name.lower() for name in names(value)]
    if edge_names == ["none"]:
        return ""
    if not choices.issuperset(edge_names):
        raise ValueError(f"none, or one or more of {', '.join(sorted(choices))}")
    return ",".join(edge_names)


def tristate(value: str) -> bool | None:
    """On, off, or auto, which is None: the code that reads the setting decides."""
    if value.strip().lower() == "auto":
        return None
    try:
        return switch(value)
    except ValueError:
        raise ValueError("on, off or auto") from None
