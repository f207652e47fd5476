"""Canonical query strings: declared parameters, once each, not blank, sorted by name.

Tracking parameters, which only scripts in the browser read, are not changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from .cache_key import TRACKERS

if TYPE_CHECKING:
    from collections.abc import Collection

_BEGINNINGS = tuple(name.removesuffix("*") for name in TRACKERS if name.endswith("*"))


def canonical_query(query: str, declared: Collection[str]) -> str:
    """Return the query with only the declared parameters, each with its first value."""
    first: dict[str, str] = {}
    for name, value in parse_qsl(query, errors="replace"):
        if name in declared:
            first.setdefault(name, value)
    return urlencode(sorted(first.items()))


def is_canonical_query(query: str, declared: Collection[str]) -> bool:
    """Return whether the query, without tracking parameters, is canonical."""
    query_without_tracking = "&".join(
        part for part in query.split("&") if not _is_tracking_parameter(part)
    )
    return query_without_tracking == canonical_query(query, declared)


def undeclared_parameters(query: str, declared: Collection[str]) -> tuple[str, ...]:
    """Return the names of a query's parameters that are not declared, without tracking ones."""
    query_without_tracking = "&".join(
        part for part in query.split("&") if not _is_tracking_parameter(part)
    )
    parameters = parse_qsl(query_without_tracking, keep_blank_values=True, errors="replace")
    return tuple(dict.fromkeys(name for name, _ in parameters if name not in declared))


def _is_tracking_parameter(part: str) -> bool:
    # Not decoded: a cache that removes tracking parameters does not decode their names.
    name = part.partition("=")[0]
    return name.startswith(_BEGINNINGS) or name in TRACKERS
