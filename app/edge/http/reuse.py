"""Reuse: may a stored response answer this request as it is (RFC 9111 sections 4.2.4 and 5.2.1).

Spans are seconds: this is asked on every HIT.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from .cache_control import Directives

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

NO_DIRECTIVES = Directives()


class Reusable(Protocol):
    """What is known of a stored response's freshness."""

    @property
    def lifetime(self) -> float:
        """Seconds for which it is fresh."""

    @property
    def requires_validation(self) -> bool:
        """Never used without validation."""

    @property
    def forbids_stale(self) -> bool:
        """Never used stale."""

    @property
    def stale_while_revalidate(self) -> float:
        """Seconds past freshness in which it may be used while it is refreshed."""

    @property
    def stale_if_error(self) -> float:
        """Seconds past freshness in which it may be used instead of an error."""


class ReuseDecision(Enum):
    """What may be done with a selected response; each value is a word for Cache-Status."""

    FRESH = "fresh"
    MAX_STALE = "max-stale"
    #: Used stale, and refreshed behind the reader's back.
    STALE_WHILE_REVALIDATE = "stale-while-revalidate"
    #: The origin must be asked because of age or the origin's own words.
    STALE = "stale"
    #: The origin must be asked because the reader wants it so.
    REQUEST = "request"


def parse_request_directives(
    cache_control: Iterable[str], pragma: str | None, honoured: Collection[str]
) -> Directives:
    """Return the request directives that are honoured; Pragma counts without Cache-Control."""
    directives = Directives.parse(cache_control)
    if not directives and pragma is not None and "no-cache" in pragma.lower():
        directives = Directives({"no-cache": None})
    return Directives({name: value for name, value in directives.items() if name in honoured})


def decide_reuse(stored: Reusable, *, age: float, request_directives: Directives) -> ReuseDecision:
    """Return what may be done with a response of this age for a request with these wishes."""
    if stored.requires_validation:
        return ReuseDecision.STALE
    if request_directives and _request_forbids(stored, age, request_directives):
        return ReuseDecision.REQUEST
    staleness = age - stored.lifetime
    if staleness < 0:
        return ReuseDecision.FRESH
    if stored.forbids_stale:
        return ReuseDecision.STALE
    if "max-stale" in request_directives and _within_max_stale(staleness, request_directives):
        return ReuseDecision.MAX_STALE
    return (
        ReuseDecision.STALE_WHILE_REVALIDATE
        if staleness < stored.stale_while_revalidate
        else ReuseDecision.STALE
    )


def may_replace_error(
    stored: Reusable, *, age: float, request_directives: Directives, default: float = 0
) -> bool:
    """Tell whether a response may be used because the origin failed (RFC 5861 section 4).

    `otherwise` is a span for responses whose origin says nothing of it.
    """
    if (
        stored.requires_validation
        or stored.forbids_stale
        or (request_directives and _request_forbids(stored, age, request_directives))
    ):
        return False
    window = max(
        stored.stale_if_error, request_directives.delta_seconds("stale-if-error") or 0, default
    )
    return age - stored.lifetime < window


def _request_forbids(stored: Reusable, age: float, request_directives: Directives) -> bool:
    if "no-cache" in request_directives:
        return True
    oldest = request_directives.delta_seconds("max-age")
    if oldest is not None and age > oldest:
        return True
    min_fresh = request_directives.delta_seconds("min-fresh")
    return min_fresh is not None and stored.lifetime - age < min_fresh


def _within_max_stale(staleness: float, request_directives: Directives) -> bool:
    return request_directives["max-stale"] is None or staleness <= (
        request_directives.delta_seconds("max-stale") or 0
    )
