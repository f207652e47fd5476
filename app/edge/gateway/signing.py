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
        self._vouches = options.vouches
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
        self._aged(sent, age, now)
        sent.headers.append(("Cache-Status", said))
        return sent

    def forwarded(self, sent: Reply, stored: Stored, status: CacheStatus, now: float) -> Reply:
        """Sign a response from the store for which the origin was asked."""
        self._aged(sent, max(0.0, now - stored.born), now)
        sent.headers.append(self.said(status))
        return sent

    def _aged(self, sent: Reply, age: float, now: float) -> None:
        if self._vouches:
            sent.headers = _renewed(sent.headers, int(now))
        else:
            sent.headers.append(("Age", str(int(age))))


def _renewed(headers: list[Pair], now: int) -> list[Pair]:
    """Return the lines of a response made now: Expires moves on, Date is left to the server."""
    date = next((value for name, value in headers if name.lower() == "date"), None)
    return [
        (name, _moved(value, date, now) if name.lower() == "expires" else value)
        for name, value in headers
        if name.lower() != "date"
    ]


@lru_cache(maxsize=512)
def _moved(expires: str, date: str | None, now: int) -> str:
    until, since = dates.parse(expires, now=now), dates.parse(date, now=now)
    return expires if until is None or since is None else dates.written(now + until - since)
