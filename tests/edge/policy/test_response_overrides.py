"""Directives of a response, applied to its route's policy."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge import NO_STORE, Freshness, Policy
from app.edge.http.cache_control import Directives
from app.edge.policy.cdn_headers import format_policy, parse_dialects
from app.edge.policy.response_overrides import apply_overrides, max_age_from_expires

ARTICLE = Policy(
    name="ARTICLE",
    browser=Freshness(must_revalidate=True),
    edge=Freshness(ttl=timedelta(days=1), stale_while_revalidate=timedelta(hours=1)),
)
MINUTE = Policy(name="MINUTE", browser=Freshness(ttl=timedelta(minutes=1)))
ACCOUNT = Policy(name="ACCOUNT", private=True)
NOW = datetime(2026, 1, 1, tzinfo=UTC)

CASES: dict[str, tuple[Policy | None, str, str, str | None]] = {
    "nothing on nothing": (None, "", "no-store", None),
    "no word on storing": (None, "no-transform", "no-store", None),
    "max-age on nothing": (None, "max-age=120", "max-age=120", None),
    "no-cache on nothing": (None, "no-cache", "no-cache", None),
    "nothing on a policy": (
        ARTICLE,
        "",
        "max-age=0, must-revalidate",
        "max-age=86400, stale-while-revalidate=3600, purged",
    ),
    "no-store on a policy": (ARTICLE, "no-store", "no-store", None),
    "max-age speaks to the edge too": (
        ARTICLE,
        "max-age=120",
        "max-age=120, must-revalidate",
        "max-age=120",
    ),
    "s-maxage is unchanged": (
        ARTICLE,
        "s-maxage=30",
        "max-age=0, must-revalidate, s-maxage=30",
        None,
    ),
    "a longer max-age wins over the mark": (MINUTE, "max-age=600", "max-age=600", None),
    "private closes the edge": (ARTICLE, "private", "private, max-age=0, must-revalidate", None),
    "private fields": (
        MINUTE,
        'private="Set-Cookie"',
        'private="Set-Cookie", max-age=60',
        None,
    ),
    "no-cache takes the ttl away": (MINUTE, "no-cache", "no-cache", None),
    "no-transform is added": (MINUTE, "no-transform", "max-age=60, no-transform", None),
    "immutable is added": (MINUTE, "immutable", "max-age=60, immutable", None),
    "proxy-revalidate is added": (
        MINUTE,
        "proxy-revalidate",
        "max-age=60, proxy-revalidate",
        None,
    ),
    "stale-if-error is added": (
        MINUTE,
        "stale-if-error=30",
        "max-age=60, stale-if-error=30",
        None,
    ),
    "a closed page stays closed": (NO_STORE, "public, max-age=60", "no-store", None),
    "a private page stays private": (
        ACCOUNT,
        "public, s-maxage=60, max-age=5",
        "private, max-age=5",
        None,
    ),
    "junk is the strict reading": (MINUTE, "max-age=soon", "max-age=0", None),
}


@pytest.mark.parametrize(("base", "view_header", "header", "edge"), CASES.values(), ids=CASES)
def test_the_view_has_the_last_word(
    base: Policy | None, view_header: str, header: str, edge: str | None
) -> None:
    """Its directives replace the route's, but never make a private or no-store route shareable."""
    policy = apply_overrides(base, Directives.parse([view_header]))
    lines = dict(format_policy(policy, parse_dialects("broadsheet"), cap=None))
    assert lines["Cache-Control"] == header
    assert lines.get("Broadsheet-Cache-Control") == edge


EXPIRES = {
    "ahead": ("Thu, 01 Jan 2026 00:02:00 GMT", 120),
    "behind": ("Wed, 31 Dec 2025 00:00:00 GMT", 0),
    "no date": ("0", 0),
    "no zone": ("Thu, 01 Jan 2026 00:02:00 -0000", 0),
}


@pytest.mark.parametrize(("expires", "seconds"), EXPIRES.values(), ids=EXPIRES)
def test_a_hand_written_expires_means_a_max_age(expires: str, seconds: int) -> None:
    """Both are equal; an invalid date is in the past (RFC 9111 §5.3)."""
    assert max_age_from_expires(Directives(), expires, NOW).delta_seconds("max-age") == seconds


def test_max_age_is_heard_before_expires() -> None:
    """RFC 9111 §5.3: with max-age, Expires is ignored."""
    directives = Directives.of(max_age=5)
    assert max_age_from_expires(directives, "Thu, 01 Jan 2026 00:02:00 GMT", NOW) == directives


@given(
    st.sampled_from([None, ARTICLE, MINUTE, ACCOUNT, NO_STORE]),
    st.lists(
        st.sampled_from(
            [
                "max-age=9",
                "max-age=x",
                "max-age",
                "s-maxage=7",
                "no-cache",
                "no-store",
                "private",
                "public",
                "immutable",
                "no-transform",
                "must-revalidate",
                "proxy-revalidate",
                "must-understand",
                "stale-while-revalidate=3",
                "stale-if-error=4",
                'private="A"',
                'no-cache="B"',
            ]
        )
    ),
)
def test_no_mixture_of_words_makes_it_fail(base: Policy | None, values: list[str]) -> None:
    """Contradictory directives give the strict reading and raise no error."""
    policy = apply_overrides(base, Directives.parse(values))
    assert not (policy.is_shareable and "private" in values)
    assert not (policy.is_shareable and base in {ACCOUNT, NO_STORE})
