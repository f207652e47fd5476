"""Lookup: the stored response that a request selects, and what may be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from ..http import reuse, vary
from ..http.cache_status import Forwarded
from ..http.reuse import Use

if TYPE_CHECKING:
    from .request import Request
    from .stored_response import Stored

_AHEAD: Final = 60.0
"""So many seconds from now nothing was made yet: a clock was set back, and nobody knows its age."""

_USABLE: Final = frozenset({Use.FRESH, Use.MAX_STALE, Use.REFRESH})


class Found(NamedTuple):
    """What a lookup found; without a stored response `fwd` says what was missing."""

    stored: Stored | None = None
    age: float = 0
    use: Use | None = None
    fwd: Forwarded = Forwarded.URI_MISS

    @property
    def usable(self) -> bool:
        """Tell whether it may answer without the origin."""
        return self.use in _USABLE

    def doubted(self) -> Found:
        """Return what is found while nobody knows whether it was purged: the origin is asked."""
        return self._replace(use=Use.STALE, fwd=Forwarded.STALE)

    def without(self) -> Found:
        """Return what is found when the body turns out to be gone, or can't be believed."""
        return Found(fwd=Forwarded.MISS)


def lookup(request: Request, variants: tuple[Stored, ...], now: float) -> Found:
    """Return the newest variant that the request selects (RFC 9111 section 4.1)."""
    if not variants:
        return _NOTHING
    if len(variants) == 1 and not variants[0].vary:
        stored = variants[0]
    else:
        matching = [each for each in variants if vary.matches(each.vary, request.seen)]
        if not matching:
            return _NO_VARIANT
        stored = max(matching, key=_made_at)
    age = max(0.0, now - stored.born)
    use = reuse.decide(stored, age=age, asked=request.asked)
    found = Found(stored, age, use, Forwarded.REQUEST if use is Use.REQUEST else Forwarded.STALE)
    return found.doubted() if stored.born > now + _AHEAD else found


def _made_at(stored: Stored) -> tuple[float, float]:
    return stored.born, stored.received_at


_NOTHING: Final = Found()
_NO_VARIANT: Final = Found(fwd=Forwarded.VARY_MISS)
