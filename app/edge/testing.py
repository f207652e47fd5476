"""Assertions for tests of apps and drivers that use the library.

Each assertion takes any response with `headers` (Flask's test client, httpx, requests); its message
shows the caching headers of the response.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from .cdn.contract import DriverContract, Ending, NetworkDriverContract, NetworkStage, Stage
from .http.cache_control import Directives
from .policy.cdn_headers import EDGE_FIELDS, format_policy, parse_dialects

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

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


def assert_hit(response: HasHeaders, *, cache: str = "broadsheet") -> None:
    """Assert that the response is a hit of the cache (RFC 9211 §2.1)."""
    assert "hit" in _cache_status_parameters(response, cache), (
        f"Not a hit at {cache}. {_describe_headers(response)}"
    )


def assert_miss(response: HasHeaders, *, cache: str = "broadsheet") -> None:
    """Assert that the cache forwarded the request to the origin (RFC 9211 §2.2)."""
    status = _cache_status_parameters(response, cache)
    assert "fwd" in status, f"Not a miss at {cache}. {_describe_headers(response)}"


def assert_stored(response: HasHeaders, *, cache: str = "broadsheet") -> None:
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


__all__ = [
    "DriverContract",
    "Ending",
    "FrozenClock",
    "HasHeaders",
    "NetworkDriverContract",
    "NetworkStage",
    "Stage",
    "assert_hit",
    "assert_miss",
    "assert_no_store",
    "assert_policy",
    "assert_private",
    "assert_stored",
]
