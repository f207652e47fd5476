from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.audit.cache_headers import CacheOutcome, parse_cache_headers
from app.edge.http.fields import HeaderFields

HIT, STALE, REVALIDATED = CacheOutcome.HIT, CacheOutcome.STALE, CacheOutcome.REVALIDATED
MISS, EXPIRED, PASS, DYNAMIC = (
    CacheOutcome.MISS,
    CacheOutcome.EXPIRED,
    CacheOutcome.PASS,
    CacheOutcome.DYNAMIC,
)

CASES = {
    "nothing": ([], []),
    "9211 hit": ([("Cache-Status", "broadsheet; hit; ttl=60")], [("broadsheet", HIT)]),
    "9211 stale": ([("Cache-Status", "a; hit; ttl=-5")], [("a", STALE)]),
    "9211 miss": ([("Cache-Status", "a; fwd=uri-miss; stored")], [("a", MISS)]),
    "9211 bypass": ([("Cache-Status", "a; fwd=bypass")], [("a", PASS)]),
    "9211 stale, fetched": ([("Cache-Status", "a; fwd=stale")], [("a", EXPIRED)]),
    "9211 stale, confirmed": (
        [("Cache-Status", "a; fwd=stale; fwd-status=304")],
        [("a", REVALIDATED)],
    ),
    "9211 several caches": (
        [
            ("Cache-Status", "origin; fwd=miss"),
            ("Cache-Status", '"a, b"; hit; detail="x;y", c; hit'),
        ],
        [("origin", MISS), ("a, b", HIT), ("c", HIT)],
    ),
    "9211 a hit that is false": ([("Cache-Status", "a; hit=?0; fwd=miss")], [("a", MISS)]),
    "fastly": (
        [("X-Cache", "MISS, HIT"), ("X-Served-By", "cache-a, cache-b")],
        [("fastly shield", MISS), ("fastly", HIT)],
    ),
    "cloudfront": ([("X-Cache", "Hit from cloudfront")], [("cloudfront", HIT)]),
    "cloudfront, confirmed": (
        [("X-Cache", "RefreshHit from cloudfront")],
        [("cloudfront", REVALIDATED)],
    ),
    "cloudfront, missed": ([("X-Cache", "Miss from cloudfront")], [("cloudfront", MISS)]),
    "nginx": ([("X-Cache-Status", "EXPIRED")], [("nginx", EXPIRED)]),
    "nginx, as many write it": ([("X-Cache", "BYPASS")], [("x-cache", PASS)]),
    "varnish, two numbers": ([("X-Varnish", "32770 5")], [("varnish", HIT)]),
    "varnish, one number": ([("X-Varnish", "32770")], [("varnish", MISS)]),
    "varnish tells twice": (
        [("Cache-Status", "varnish; hit"), ("X-Varnish", "32770 5")],
        [("varnish", HIT)],
    ),
    "hits counted": ([("X-Cache-Hits", "0, 3")], [("x-cache", HIT)]),
    "no hits counted": ([("X-Cache-Hits", "0")], [("x-cache", MISS)]),
    "bunny": ([("CDN-Cache", "HIT")], [("bunny", HIT)]),
    "cloudflare": ([("CF-Cache-Status", "HIT")], [("cloudflare", HIT)]),
    "cloudflare, no rule": ([("CF-Cache-Status", "DYNAMIC")], [("cloudflare", DYNAMIC)]),
    "cloudflare, updating": ([("CF-Cache-Status", "UPDATING")], [("cloudflare", STALE)]),
    "cloudflare, bypass": ([("CF-Cache-Status", "BYPASS")], [("cloudflare", PASS)]),
    "a CDN in front of the gateway": (
        [("CF-Cache-Status", "DYNAMIC"), ("Cache-Status", "broadsheet; hit")],
        [("broadsheet", HIT), ("cloudflare", DYNAMIC)],
    ),
    "an age and no name": ([("Age", "30")], [("a cache", HIT)]),
    "an age of nothing": ([("Age", "0")], []),
    "an age that is none": ([("Age", "\u0663")], []),
    "a word that nobody knows": ([("X-Cache", "perhaps")], []),
}


@pytest.mark.parametrize(("pairs", "expected"), CASES.values(), ids=list(CASES))
def test_each_cache_has_its_verdict(
    pairs: list[tuple[str, str]], expected: list[tuple[str, CacheOutcome]]
) -> None:
    """From the origin outwards, each cache once."""
    results = parse_cache_headers(HeaderFields(pairs))
    assert [(served.cache, served.outcome) for served in results] == expected


def test_what_is_left_of_the_time_is_read() -> None:
    """As seconds; what is no number is nothing."""
    [one, other] = parse_cache_headers(
        HeaderFields([("Cache-Status", "a; hit; ttl=61, b; hit; ttl=long")])
    )
    assert (one.ttl, other.ttl) == (61.0, None)


NAMES = ("cache-status", "x-cache", "x-varnish", "x-cache-hits", "cf-cache-status", "age", "via")


@given(st.lists(st.tuples(st.sampled_from(NAMES), st.text(max_size=60)), max_size=6))
def test_no_header_of_a_stranger_raises(pairs: list[tuple[str, str]]) -> None:
    """No header value raises; the result may be empty."""
    assert isinstance(parse_cache_headers(HeaderFields(pairs)), tuple)
