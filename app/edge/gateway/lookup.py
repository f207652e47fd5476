"""Find the stored response that a request selects, and decide how it may be used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..http import reuse, vary
from ..http.cache_status import ForwardReason
from ..http.reuse import ReuseDecision

if TYPE_CHECKING:
    from .request import Request
    from .stored_response import StoredResponse

_MAX_CLOCK_SKEW: Final = 60.0
"""The maximum seconds that a response may be dated ahead of the clock.

A response beyond that was stored before the clock was set back. Its age is unknown, so it is
revalidated.
"""

_USABLE: Final = frozenset(
    {ReuseDecision.FRESH, ReuseDecision.MAX_STALE, ReuseDecision.STALE_WHILE_REVALIDATE}
)


class LookupResult(NamedTuple):
    """The result of a lookup; without a stored response `fwd` holds the kind of miss."""

    stored: StoredResponse | None = None
    age: float = 0
    use: ReuseDecision | None = None
    fwd: ForwardReason = ForwardReason.URI_MISS

    @property
    def is_usable(self) -> bool:
        """Return whether the stored response may be served without the origin."""
        return self.use in _USABLE

    def as_stale(self) -> LookupResult:
        """Return the result for a response that must be revalidated before use."""
        return self._replace(use=ReuseDecision.STALE, fwd=ForwardReason.STALE)

    def as_miss(self) -> LookupResult:
        """Return the result for a response whose body is missing or can't be used."""
        return LookupResult(fwd=ForwardReason.MISS)


def lookup(request: Request, variants: tuple[StoredResponse, ...], now: float) -> LookupResult:
    """Return the newest variant that the request selects (RFC 9111 section 4.1)."""
    if not variants:
        return _URI_MISS
    if len(variants) == 1 and not variants[0].vary:
        stored = variants[0]
    else:
        matching = [
            variant
            for variant in variants
            if vary.matches(variant.vary, request.header_for_origin, variant.languages)
        ]
        if not matching:
            return _VARY_MISS
        stored = max(matching, key=_recency)
    age = max(0.0, now - stored.generated_at)
    use = reuse.decide_reuse(stored, age=age, request_directives=request.directives)
    lookup_result = LookupResult(
        stored,
        age,
        use,
        ForwardReason.REQUEST if use is ReuseDecision.REQUEST else ForwardReason.STALE,
    )
    return (
        lookup_result.as_stale() if stored.generated_at > now + _MAX_CLOCK_SKEW else lookup_result
    )


def _recency(stored: StoredResponse) -> tuple[float, float]:
    return stored.generated_at, stored.received_at


_URI_MISS: Final = LookupResult()
_VARY_MISS: Final = LookupResult(fwd=ForwardReason.VARY_MISS)
