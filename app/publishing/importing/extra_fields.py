"""The fields of the front matter that have no meaning here: stored as JSON, exported as TOML.

Pure. Keys that may hold addresses of readers or secrets are removed at every level. So are keys
that an export writes itself, and keys that restrict the publication: the status of the post, which
an editor may change, is exported instead.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from .post_meta import READ_KEYS, TABLES, is_private
from .publication.decision import find_restrictions

MAX_SIZE = 64 * 1024
MAX_DEPTH = 16

_WRITTEN = """title slug path type guid date lastmod description draft status authors topics cover
cover_alt image_alt menu weight aliases lang"""
_EXPORTED = frozenset(_WRITTEN.split())
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def select_fields(extra: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields to store, and the names of the ones that exceed `MAX_SIZE`."""
    fields: dict[str, Any] = {}
    too_large: list[str] = []
    size = 0
    for name, value in _plain_table(dict(_without_known(extra)), 0).items():
        length = len(json.dumps({name: value}))
        if size + length > MAX_SIZE:
            too_large.append(name)
            continue
        size += length
        fields[name] = value
    return fields, tuple(too_large)


def _without_known(extra: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the fields that neither an export writes nor a rule of publication reads."""
    for name, value in extra.items():
        key = str(name).strip().lower()
        if key in TABLES and isinstance(value, Mapping):
            inner = {n: v for n, v in _without_known(value) if str(n).lower() not in READ_KEYS}
            if inner:
                yield name, inner
        elif key not in _EXPORTED and not find_restrictions({name: value}):
            yield name, value


def _plain_table(table: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    pairs = ((_plain_text(name), _plain(value, depth + 1)) for name, value in table.items())
    return {name: value for name, value in pairs if value is not None and not is_private(name)}


def _plain(value: Any, depth: int) -> Any:
    """Return a value that JSON and TOML can both hold; None if there is none."""
    if value is None or depth > MAX_DEPTH:
        return None
    if isinstance(value, Mapping):
        return _plain_table(value, depth)
    if isinstance(value, (list, tuple)):
        return [plain for one in value if (plain := _plain(one, depth + 1)) is not None]
    if isinstance(value, (bool, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return _plain_text(value)


def _plain_text(value: Any) -> str:
    text = value.isoformat() if hasattr(value, "isoformat") else str(value)
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def to_toml(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield a line for each field; tables are written inline, so that their order is free."""
    for name, value in fields.items():
        yield f"{_key(name)} = {_value(value)}\n"


def _key(name: str) -> str:
    return name if _BARE_KEY.fullmatch(name) else text_to_toml(name)


def _value(value: Any) -> str:
    if isinstance(value, dict):
        pairs = ", ".join(f"{_key(name)} = {_value(inner)}" for name, inner in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return text_to_toml(value) if isinstance(value, str) else json.dumps(value)


def text_to_toml(text: str) -> str:
    """Return a basic string: that of JSON, with the delete character escaped as TOML demands."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
