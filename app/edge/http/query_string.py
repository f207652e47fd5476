"""One spelling per query string: declared parameters, once each, not blank, in order of name.

Pure. Trackers, which only scripts in the browser read, are left alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from .cache_key import TRACKERS

if TYPE_CHECKING:
    from collections.abc import Collection

_BEGINNINGS = tuple(name.removesuffix("*") for name in TRACKERS if name.endswith("*"))


def canonical_query(query: str, declared: Collection[str]) -> str:
    """Return the query with nothing but the declared parameters, each in its first value."""
    first: dict[str, str] = {}
    for name, value in parse_qsl(query, errors="replace"):
        if name in declared:
            first.setdefault(name, value)
    return urlencode(sorted(first.items()))


def is_canonical_query(query: str, declared: Collection[str]) -> bool:
    """Tell whether the query, trackers aside, is written the one way it should be."""
    query_without_tracking = "&".join(
        part for part in query.split("&") if not _is_tracking_parameter(part)
    )
    return query_without_tracking == canonical_query(query, declared)


def _is_tracking_parameter(part: str) -> bool:
    # As it is written: a cache that leaves trackers out of its key does not decode their names.
    name = part.partition("=")[0]
    return name.startswith(_BEGINNINGS) or name in TRACKERS
