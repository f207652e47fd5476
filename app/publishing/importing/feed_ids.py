"""The identifier of a post in the feed of its old site; with it no reader shows the post again.

Pure: front matter and addresses in, an identifier out (RFC 4287, section 4.2.6).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from .configuration import Tool

EXPLICIT_KEYS = ("guid", "feed_id", "id", "wordpress_url", "blogger_id")
"""Front matter that states the identifier, the strongest key first."""

MAX_LENGTH = 500

_IRI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_HTML_OR_SLASH = re.compile(r"(?:\.html|/)\Z")


def find_explicit_id(fields: Mapping[str, Any]) -> str:
    """Return the identifier that the front matter states, or an empty string.

    `id` is common for other purposes, so it counts only when it is an IRI.
    """
    by_name = {name.lower(): value for name, value in fields.items()}
    for key in EXPLICIT_KEYS:
        value = str(by_name.get(key) or "").strip()
        is_usable = 0 < len(value) <= MAX_LENGTH and value.isprintable()
        if is_usable and (key != "id" or _IRI.fullmatch(value)):
            return value
    return ""


def feed_id_at(url: str, *, tool: Tool | None, date: datetime | None) -> str:
    """Return the identifier that the feed of `tool` gives a post at an absolute URL.

    `date` is the day of the post in the zone of the old site.
    """
    if tool is Tool.JEKYLL:
        return _HTML_OR_SLASH.sub("", url)
    if tool is Tool.PELICAN:
        parts = urlsplit(url)
        day = f",{date:%Y-%m-%d}" if date else ""
        return f"tag:{parts.hostname}{day}:{parts.path}/{parts.fragment}"
    return url
