"""Signing: what the gateway adds to each response: Age and its own member of Cache-Status."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..http import dates
from ..http.cache_status import CacheStatus
from ..http.reuse import Use

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..http.fields import Pair
    from .options import Options
    from .reply import Reply
    from .stored import Stored


class Signer:
    """Speaks in the name of one gateway."""

    def __init__(self, options: Options) -> None:
        self._name = options.name
        self._internal = options.internal
        self._hit = f"{CacheStatus(hit=True).written(options.name)}; ttl="

    def said(self, status: CacheStatus) -> Pair:
        """Return the Cache-Status line; a line of its own after those from upstream."""
        return ("Cache-Status", status.written(self._name))

    def shown(self, headers: Iterable[Pair]) -> list[Pair]:
        """Return the lines without those for caches' eyes only."""
        return [pair for pair in headers if pair[0].lower() not in self._internal]

    def hit(self, sent: Reply, stored: Stored, use: Use | None, now: float) -> Reply:
        """Sign a response from the store; spelt out, as every HIT pays for it."""
        age = max(0.0, now - stored.born)
        said = f"{self._hit}{int((stored.lifetime - age) // 1)}"
        if use is not Use.FRESH and use is not None:
            said = f"{said}; detail={use.value}"
        _aged(sent, stored, age, now)
        sent.headers.append(("Cache-Status", said))
        return sent

    def forwarded(self, sent: Reply, stored: Stored, status: CacheStatus, now: float) -> Reply:
        """Sign a response from the store for which the origin was asked."""
        _aged(sent, stored, max(0.0, now - stored.born), now)
        sent.headers.append(self.said(status))
        return sent

    def fetched(self, sent: Reply, stored: Stored, status: CacheStatus) -> Reply:
        """Sign a response that has just come, for the reader it was fetched for."""
        sent.headers = [*self.shown(sent.headers), *stored.dated, self.said(status)]
        return sent


def _aged(sent: Reply, stored: Stored, age: float, now: float) -> None:
    """Add the Age: since it was made, or since somebody knew that a fresh one would be the same."""
    if stored.vouched and age < stored.lifetime:
        sent.headers += _as_new(int(now), stored.until)
    else:
        sent.headers += stored.dated
        sent.headers.append(("Age", str(int(age))))


@lru_cache(maxsize=64)
def _as_new(now: int, until: int | None) -> tuple[Pair, ...]:
    expires = () if until is None else (("Expires", dates.written(now + until)),)
    return (("Date", dates.written(now)), *expires, ("Age", "0"))
