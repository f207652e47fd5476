"""Decide whether a stored response may be reused for a request (RFC 9111, 4.2.4 and 5.2.1).

Durations are seconds, because this runs on every HIT.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol

from .cache_control import Directives

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

NO_DIRECTIVES = Directives()


class Reusable(Protocol):
    """The freshness data of a stored response."""

    @property
    def lifetime(self) -> float:
        """Return the seconds for which the response is fresh."""

    @property
    def requires_validation(self) -> bool:
        """Return whether the response must be validated before each use."""

    @property
    def forbids_stale(self) -> bool:
        """Return whether the response must not be used stale."""

    @property
    def stale_while_revalidate(self) -> float:
        """Return the seconds after `lifetime` in which it may be served while it is refreshed."""

    @property
    def stale_if_error(self) -> float:
        """Return the seconds after `lifetime` in which it may be served instead of an error."""


class ReuseDecision(Enum):
    """How a selected response may be used; each value is a token for Cache-Status."""

    FRESH = "fresh"
    MAX_STALE = "max-stale"
    #: Served stale, and refreshed in the background.
    STALE_WHILE_REVALIDATE = "stale-while-revalidate"
    #: Must be validated because of its age or the origin's directives.
    STALE = "stale"
    #: Must be validated because of the directives of the request.
    REQUEST = "request"


def parse_request_directives(
    cache_control: Iterable[str], pragma: str | None, honoured: Collection[str]
) -> Directives:
    """Return the request directives in `obeyed`; Pragma counts without Cache-Control."""
    directives = Directives.parse(cache_control)
    if not directives and pragma is not None and "no-cache" in pragma.lower():
        directives = Directives({"no-cache": None})
    return Directives({name: value for name, value in directives.items() if name in honoured})


def decide_reuse(stored: Reusable, *, age: float, request_directives: Directives) -> ReuseDecision:
    """Return how a response of this age may be used for a request with these directives."""
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
    """Return whether a stale response may be served because the origin failed (RFC 5861, 4).

    `default` applies to responses without stale-if-error.
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
