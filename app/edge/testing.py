"""Assertions for tests of apps and drivers that use the library.

Each assertion takes any response with `headers` (Flask's test client, httpx, requests); its message
shows the caching headers of the response.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol

from .cdn.base import CallLimits, PurgeError, PurgeTarget
from .cdn.contract import DriverContract, Ending, NetworkDriverContract, NetworkStage, Stage
from .http.cache_control import Directives
from .name import NAME
from .policy.cdn_headers import EDGE_FIELDS, format_policy, parse_dialects

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .cdn.base import Driver
    from .policy.policy import Policy

_MEMBER = re.compile(r'(?:[^",]|"[^"]*")+')
_PARAMETER = re.compile(r'(?:[^";]|"[^"]*")+')
_SHOWN = ("Cache-Status", "Cache-Control", "Age", "Vary", "Set-Cookie", *sorted(EDGE_FIELDS))


class HasHeaders(Protocol):
    """A response of any HTTP client."""

    @property
    def headers(self) -> Any:
        """The header fields, with case-insensitive lookup."""


class FrozenClock:
    """A clock that changes only by `advance`; call it to get the time."""

    def __init__(self, at: datetime | None = None) -> None:
        self.at = at or datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """Return the current time of the clock."""
        return self.at

    def timestamp(self) -> float:
        """Return the time in epoch seconds."""
        return self.at.timestamp()

    def advance(self, span: timedelta) -> None:
        """Advance the clock."""
        self.at += span


def assert_hit(response: HasHeaders, *, cache: str = NAME) -> None:
    """Assert that the response is a hit of the cache (RFC 9211 §2.1)."""
    assert "hit" in _cache_status_parameters(response, cache), (
        f"Not a hit at {cache}. {_describe_headers(response)}"
    )


def assert_miss(response: HasHeaders, *, cache: str = NAME) -> None:
    """Assert that the cache forwarded the request to the origin (RFC 9211 §2.2)."""
    status = _cache_status_parameters(response, cache)
    assert "fwd" in status, f"Not a miss at {cache}. {_describe_headers(response)}"


def assert_stored(response: HasHeaders, *, cache: str = NAME) -> None:
    """Assert that the cache stored the response (RFC 9211 §2.5)."""
    assert "stored" in _cache_status_parameters(response, cache), (
        f"Not stored at {cache}. {_describe_headers(response)}"
    )


def assert_no_store(response: HasHeaders) -> None:
    """Assert that no cache may store the response."""
    directives = _directives(response)
    assert "no-store" in directives, f"It may be stored. {_describe_headers(response)}"
    _assert_no_cdn_headers(response)


def assert_private(response: HasHeaders) -> None:
    """Assert that no shared cache may store the response."""
    directives = _directives(response)
    is_private = "no-store" in directives or directives.is_unqualified("private")
    assert is_private, f"A shared cache may store it. {_describe_headers(response)}"
    _assert_no_cdn_headers(response)


def assert_policy(
    response: HasHeaders,
    policy: Policy,
    *,
    dialects: str | Iterable[str] = (),
    cap: timedelta | None = None,
) -> None:
    """Assert the headers of a policy: Cache-Control and those of the given dialects."""
    lines = format_policy(policy, parse_dialects(dialects), cap=cap)
    for name, value in lines:
        expected, actual = Directives.parse([value]), _directives(response, name)
        if name == "Cache-Control" and not dialects and not policy.literal:
            actual = actual.replace(s_maxage=None)
        message = f"{name} is {str(actual)!r}, but {policy.name} says {str(expected)!r}"
        assert actual == expected, f"{message}. {_describe_headers(response)}"


def _assert_no_cdn_headers(response: HasHeaders) -> None:
    cdn_headers = sorted(name for name in EDGE_FIELDS if name in response.headers)
    assert not cdn_headers, (
        f"{', '.join(cdn_headers)} is still sent to an edge. {_describe_headers(response)}"
    )


def _directives(response: HasHeaders, name: str = "Cache-Control") -> Directives:
    return Directives.parse([response.headers.get(name) or ""])


def _cache_status_parameters(response: HasHeaders, cache: str) -> set[str]:
    """Return one cache's parameters in Cache-Status; empty if it is not listed."""
    for member in _MEMBER.findall(response.headers.get("Cache-Status") or ""):
        name, *parameters = (part.strip() for part in _PARAMETER.findall(member))
        if name.strip('"').lower() == cache.lower():
            return {parameter.partition("=")[0] for parameter in parameters}
    return set()


def _describe_headers(response: HasHeaders) -> str:
    lines = (f"{name}: {response.headers[name]}" for name in _SHOWN if name in response.headers)
    return f"The response says: {'; '.join(lines) or 'no caching header'}"


class NullDriver:
    """A driver of an edge that stores nothing: every purge succeeds at once."""

    limits = CallLimits()

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Do nothing."""

    def purge_everything(self) -> None:
        """Do nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverFault:
    """The failure of one call; with `acts` the edge purges the pages and the call still fails."""

    error: Exception
    acts: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverCall:
    """One call that the edge received; a purge of `everything` has no targets."""

    targets: tuple[PurgeTarget, ...] = ()
    everything: bool = False
    failed: bool = False


class MemoryDriver:
    """An edge in a dict, for tests: it stores bodies by URL until they are purged.

    `script` gives the fault of each next call, or None for a call that succeeds; after its end
    all calls succeed. `on_call` is called with each call as it arrives.
    """

    def __init__(
        self,
        *,
        limits: CallLimits | None = None,
        script: Iterator[DriverFault | None] | None = None,
        on_call: Callable[[DriverCall], None] | None = None,
    ) -> None:
        self.limits = limits or CallLimits()
        self.script = script or iter(())
        self.on_call = on_call
        self.entries: dict[str, str] = {}
        self.calls: list[DriverCall] = []
        self._lock = Lock()

    def store(self, url: str, body: str) -> None:
        """Store a page."""
        with self._lock:
            self.entries[url] = body

    def get_body(self, url: str) -> str | None:
        """Return the stored body of a page, or None."""
        return self.entries.get(url)

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages."""
        if len(targets) > self.limits.batch:
            raise PurgeError(f"{len(targets)} targets in one call are too many", retryable=False)
        self._receive(DriverCall(targets=tuple(targets)))

    def purge_everything(self) -> None:
        """Purge all pages."""
        self._receive(DriverCall(everything=True))

    def _receive(self, call: DriverCall) -> None:
        with self._lock:
            fault = next(self.script, None)
            failed = fault is not None
            call = DriverCall(targets=call.targets, everything=call.everything, failed=failed)
            self.calls.append(call)
            if fault is None or fault.acts:
                self._delete(call)
        if self.on_call is not None:
            self.on_call(call)
        if fault is not None:
            raise fault.error

    def _delete(self, call: DriverCall) -> None:
        if call.everything:
            self.entries.clear()
        for target in call.targets:
            self.entries.pop(target.url, None)


class FanoutDriver:
    """Purges several edges as one; a call fails if one of the edges failed.

    Every call goes to all edges: purging an edge twice does no harm, leaving one out does.
    """

    def __init__(self, drivers: Sequence[Driver]) -> None:
        if not drivers:
            raise ValueError("a fan-out needs at least one edge")
        self._drivers = tuple(drivers)
        self.limits = _combine_limits([driver.limits for driver in self._drivers])
        self.purges_by_url = any(
            getattr(driver, "purges_by_url", False) for driver in self._drivers
        )

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages at every edge."""
        self._call_each(lambda driver: driver.purge(targets))

    def purge_everything(self) -> None:
        """Purge all pages at every edge."""
        self._call_each(lambda driver: driver.purge_everything())

    def _call_each(self, call: Callable[[Driver], None]) -> None:
        errors = []
        for driver in self._drivers:
            try:
                call(driver)
            except PurgeError as error:
                errors.append(error)
        if errors:
            raise PurgeError.combine(errors)


def _combine_limits(limits: Sequence[CallLimits]) -> CallLimits:
    """Return the narrowest limits; the timeouts add up, because the calls run one by one."""
    rates = [limit.per_second for limit in limits if limit.per_second is not None]
    return CallLimits(
        batch=min(limit.batch for limit in limits),
        per_second=min(rates, default=None),
        burst=min(limit.burst for limit in limits),
        timeout=sum((limit.timeout for limit in limits), timedelta(0)),
        claim_margin=max(limit.claim_margin for limit in limits),
        ignored_lifetime=min(limit.ignored_lifetime for limit in limits),
    )


__all__ = [
    "DriverCall",
    "DriverContract",
    "DriverFault",
    "Ending",
    "FanoutDriver",
    "FrozenClock",
    "HasHeaders",
    "MemoryDriver",
    "NetworkDriverContract",
    "NetworkStage",
    "NullDriver",
    "Stage",
    "assert_hit",
    "assert_miss",
    "assert_no_store",
    "assert_policy",
    "assert_private",
    "assert_stored",
]
