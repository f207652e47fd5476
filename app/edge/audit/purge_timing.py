"""Measure the time from the commit of a purge until the edge serves the new page."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from .exchange import Exchange, ProbeRequest

_TRIES = 4
_FIRST_PAUSE = 0.02
_LONGEST_PAUSE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeTiming:
    """Result of one measurement.

    `seconds` is None if the page was still old after `waited` seconds. `was_cached` is false if
    the edge did not store the page before the purge.
    """

    target: str
    was_cached: bool = True
    seconds: float | None = None
    waited: float = 0.0

    def to_text(self) -> str:
        """Text for the command line."""
        if self.seconds is None:
            return "From commit to fresh: not measured."
        return f"From commit to fresh: {self.seconds * 1000:.0f} ms ({self.target})."


def time_purge(
    send: Callable[[ProbeRequest], Exchange],
    target: str,
    purge: Callable[[str], object],
    *,
    max_wait: float = 75.0,
) -> PurgeTiming:
    """Purge a page that shows its time of rendering, and request it until that time changes.

    `purge` returns after the purge is committed; the measurement starts just before that call.
    """
    request = ProbeRequest(target=target)
    old = _wait_until_cached(send, request)
    if old is None:
        return PurgeTiming(target=target, was_cached=False)
    began = time.monotonic()
    purge(target)
    pause = _FIRST_PAUSE
    while (waited := time.monotonic() - began) < max_wait:
        if send(request).content() != old:
            return PurgeTiming(target=target, seconds=time.monotonic() - began, waited=waited)
        time.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
    return PurgeTiming(target=target, waited=waited)


def _wait_until_cached(
    send: Callable[[ProbeRequest], Exchange], request: ProbeRequest
) -> bytes | None:
    """Request the page until two responses are equal; return the body, or None if they differ."""
    previous = send(request).content()
    for _ in range(_TRIES):
        current = send(request).content()
        if current == previous:
            return current
        previous = current
    return None
