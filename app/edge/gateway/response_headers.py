"""Signing: what the gateway adds to each response: Age and its own member of Cache-Status."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ..http import dates, vary
from ..http.cache_status import CacheStatus
from ..http.reuse import Use
from . import capped_headers

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..http.fields import Pair
    from .lookup import Found
    from .options import Options
    from .request import Request
    from .response import Reply
    from .stored_response import Stored


class Signer:
    """Speaks in the name of one gateway."""

    def __init__(self, options: Options) -> None:
        self._name = options.name
        self._internal = options.internal
        self._hit = f"{CacheStatus(hit=True).written(options.name)}; ttl="
        self._doubt = options.doubt

    def said(self, status: CacheStatus) -> Pair:
        """Return the Cache-Status line; a line of its own after those from upstream."""
        return ("Cache-Status", status.written(self._name))

    def shown(self, headers: Iterable[Pair], request: Request | None) -> list[Pair]:
        """Return the lines without those for caches' eyes only; no request is passed on."""
        pairs = list(headers)
        shown = (pair for pair in pairs if pair[0].lower() not in self._internal)
        lines = list(vary.in_one_line(shown))
        return self._doubted(lines, pairs, request) or lines

    def hit(self, sent: Reply, found: Found, request: Request, now: float) -> Reply:
        """Sign a response from the store; spelt out, as every HIT pays for it."""
        stored, use = found.stored, found.use
        assert stored is not None
        age = max(0.0, now - stored.born)
        fresh = use is Use.FRESH or use is None
        said = f"{self._hit}{int((stored.lifetime - age) // 1)}"
        if self._doubt is not None:
            lines = self._doubted(sent.headers, stored.internal, request, fresh=fresh)
            if lines is not None:
                sent.headers = lines
                said = f"{said}; detail=capped" if fresh else said
        if not fresh and use is not None:
            said = f"{said}; detail={use.value}"
        _aged(sent, stored, age, now)
        sent.headers.append(("Cache-Status", said))
        return sent

    def forwarded(
        self, sent: Reply, stored: Stored, request: Request, status: CacheStatus, now: float
    ) -> Reply:
        """Sign a response from the store for which the origin was asked."""
        age = max(0.0, now - stored.born)
        fresh = age < stored.lifetime
        lines = self._doubted(sent.headers, stored.internal, request, fresh=fresh)
        if lines is not None:
            sent.headers = lines
            status = _capped(status)
        _aged(sent, stored, age, now)
        sent.headers.append(self.said(status))
        return sent

    def fetched(self, sent: Reply, stored: Stored, request: Request, status: CacheStatus) -> Reply:
        """Sign a response that has just come, for the reader it was fetched for."""
        lines = self._doubted(sent.headers, stored.internal, request)
        status = status if lines is None else _capped(status)
        headers = self.shown(sent.headers if lines is None else lines, request)
        sent.headers = [*headers, *stored.dated, self.said(status)]
        return sent

    def _doubted(
        self,
        headers: list[Pair],
        kept: Iterable[Pair],
        request: Request | None,
        *,
        fresh: bool = True,
    ) -> list[Pair] | None:
        """Return what is sent while caches behind can't be purged; None while they can.

        What is stale is kept briefly by all of them: nobody knows whether it is still right.
        """
        if self._doubt is None:
            return None
        strange = request is None or request.misspelt
        word = self._doubt(strange) if fresh else capped_headers.NOBODY
        return capped_headers.doubted(headers, kept, word) if word else None


def _capped(status: CacheStatus) -> CacheStatus:
    return status if status.detail else replace(status, detail="capped")


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
