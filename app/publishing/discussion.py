"""The place where readers discuss a post: the field `discuss` of its front matter. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from .editing import validation
from .errors import Invalid
from .importing.post_meta import TABLES

_KEY = "discuss"
_MAX_LENGTH = 500


def find_discussion(extra_fields: Mapping[str, Any] | None) -> str:
    """Return the URL of the discussion; empty if the field is missing or no URL of the web."""
    for value in _values(extra_fields or {}):
        try:
            url = validation.validate_web_url(_KEY, value, limit=_MAX_LENGTH)
        except Invalid:
            continue
        if url:
            return url
    return ""


def _values(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield the texts of the field, at the top and in tables such as `params`."""
    for name, value in fields.items():
        key = str(name).strip().lower()
        if key == _KEY and isinstance(value, str):
            yield value
        elif key in TABLES and isinstance(value, Mapping):
            yield from _values(value)
