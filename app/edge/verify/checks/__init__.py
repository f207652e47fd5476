"""One file per check, and the list of all of them: what an audit asks, and all that it may find."""

from __future__ import annotations

from ..finding import Kind
from . import (
    codings,
    cookies,
    freshness,
    headers,
    host,
    kept,
    keys,
    missing,
    never_stored,
    origin,
    poison,
    purging,
    reach,
    staleness,
    validators,
)

CHECKS = (
    reach.CHECK,
    kept.CHECK,
    never_stored.CHECK,
    cookies.CHECK,
    keys.CHECK,
    validators.CHECK,
    codings.CHECK,
    headers.CHECK,
    staleness.CHECK,
    missing.CHECK,
    host.CHECK,
    poison.CHECK,
    purging.CHECK,
    origin.CHECK,
    freshness.CHECK,
)


def all_kinds() -> tuple[Kind, ...]:
    """Every finding there is, check by check."""
    return tuple(kind for check in CHECKS for kind in check.kinds)
