"""The checks of the audit, one module each, and the tuple of all of them."""

from __future__ import annotations

from ..findings import FindingType
from . import (
    app_problems,
    cache_hits,
    cache_keys,
    cache_poisoning,
    content_coding,
    cookies,
    headers,
    host_header,
    no_store,
    not_found,
    origin_access,
    purge_access,
    purge_latency,
    reachability,
    stale_responses,
    validators,
)

CHECKS = (
    reachability.CHECK,
    cache_hits.CHECK,
    no_store.CHECK,
    cookies.CHECK,
    cache_keys.CHECK,
    validators.CHECK,
    content_coding.CHECK,
    headers.CHECK,
    stale_responses.CHECK,
    not_found.CHECK,
    host_header.CHECK,
    cache_poisoning.CHECK,
    purge_access.CHECK,
    origin_access.CHECK,
    purge_latency.CHECK,
    app_problems.CHECK,
)


def all_finding_types() -> tuple[FindingType, ...]:
    """Return all finding types, check by check."""
    return tuple(kind for check in CHECKS for kind in check.finding_types)
