"""The public assertions fail where they should, with a reason."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from werkzeug.datastructures import Headers

from app.edge import NO_STORE, Freshness, Policy
from app.edge.testing import (
    FrozenClock,
    assert_hit,
    assert_miss,
    assert_no_store,
    assert_policy,
    assert_private,
    assert_stored,
)

MINUTE = Policy(name="MINUTE", browser=Freshness(ttl=timedelta(minutes=1)))
EDGED = Policy(name="EDGED", edge=Freshness(ttl=timedelta(hours=1)))


@dataclass
class Answer:
    """A minimal response."""

    headers: Headers = field(default_factory=Headers)


def answer(**headers: str) -> Answer:
    """Return a response with these headers, names with underscores."""
    return Answer(Headers([(name.replace("_", "-"), value) for name, value in headers.items()]))


HIT = answer(Cache_Status="broadsheet; hit; ttl=30")
BEHIND = answer(Cache_Status='"Broadsheet"; hit; detail="a, b; fwd", Other; fwd=uri-miss')
MISS = answer(Cache_Status="broadsheet; fwd=uri-miss; stored")
PASSED = answer(Cache_Status="broadsheet; fwd=bypass; detail=session-read")

PASSES: list[tuple[Any, Any]] = [
    (assert_hit, HIT),
    (assert_hit, BEHIND),
    (assert_miss, MISS),
    (assert_miss, PASSED),
    (assert_stored, MISS),
    (assert_no_store, answer(Cache_Control="no-store")),
    (assert_private, answer(Cache_Control="no-store")),
    (assert_private, answer(Cache_Control="max-age=5, private")),
]
FAILS: list[tuple[Any, Any, str]] = [
    (assert_hit, MISS, r"Not a hit at broadsheet.*fwd=uri-miss"),
    (assert_hit, answer(), "no caching header"),
    (assert_miss, HIT, "Not a miss"),
    (assert_stored, PASSED, "detail=session-read"),
    (assert_no_store, answer(Cache_Control="private"), "It may be stored"),
    (
        assert_no_store,
        answer(Cache_Control="no-store", CDN_Cache_Control="max-age=1"),
        "CDN-Cache-Control is still sent",
    ),
    (assert_private, answer(Cache_Control="max-age=5"), "A shared cache may store it"),
    (assert_private, answer(Cache_Control='private="Set-Cookie"'), "A shared cache may store it"),
    (assert_private, answer(), "A shared cache may store it"),
]


@pytest.mark.parametrize(("demand", "response"), PASSES)
def test_what_is_so_passes(demand: Any, response: Answer) -> None:
    """Cache-Status is a list of caches with parameters (RFC 9211)."""
    demand(response)


@pytest.mark.parametrize(("demand", "response", "reason"), FAILS)
def test_what_is_not_so_fails_with_the_reason(demand: Any, response: Answer, reason: str) -> None:
    """The message shows the response's headers."""
    with pytest.raises(AssertionError, match=reason):
        demand(response)


def test_one_cache_can_be_meant() -> None:
    """Each cache of a chain has its own member."""
    assert_miss(BEHIND, cache="other")
    with pytest.raises(AssertionError, match="Not a hit at other"):
        assert_hit(BEHIND, cache="other")


def test_a_policy_is_compared_word_by_word() -> None:
    """Order and case of the header don't matter; an s-maxage for an edge is ignored."""
    assert_policy(answer(Cache_Control="MAX-AGE=60"), MINUTE)
    assert_policy(answer(Cache_Control="s-maxage=9, max-age=0"), EDGED)
    assert_policy(answer(Cache_Control="no-store"), NO_STORE)
    with pytest.raises(AssertionError, match="MINUTE says 'max-age=60'"):
        assert_policy(answer(Cache_Control="max-age=61"), MINUTE)
    with pytest.raises(AssertionError, match="CDN-Cache-Control is ''"):
        assert_policy(answer(Cache_Control="max-age=0"), EDGED, dialects="cloudflare")


def test_a_frozen_clock_moves_when_told() -> None:
    """And only then."""
    clock = FrozenClock()
    before = clock()
    assert clock() == before
    clock.advance(timedelta(seconds=5))
    assert clock() - before == timedelta(seconds=5)
    assert clock.timestamp() == clock().timestamp()
