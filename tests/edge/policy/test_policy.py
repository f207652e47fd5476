"""Policies refuse to contradict themselves and never grow more permissive by merging."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge import NO_STORE, Freshness, Policy, PolicyError, days, hours, minutes, seconds
from app.edge.http.cache_control import Directives
from app.edge.policy.cdn_headers import DIALECTS, format_policy
from app.edge.policy.policy import SettingError

from .strategies import policies, spans, storing_policies

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)

CONTRADICTIONS = {
    "private with a public edge": (
        lambda: Policy(name="X", private=True, edge=Freshness(ttl=DAY)),
        "private excludes every edge",
    ),
    "private and public": (
        lambda: Policy(name="X", private=True, public=True),
        "private and public",
    ),
    "stale-while-revalidate with must-revalidate": (
        lambda: Freshness(ttl=DAY, stale_while_revalidate=MINUTE, must_revalidate=True),
        "stale_while_revalidate serves stale, which must_revalidate forbids",
    ),
    "stale-if-error with must-revalidate": (
        lambda: Freshness(ttl=DAY, stale_if_error=MINUTE, must_revalidate=True),
        "stale_if_error serves stale, which must_revalidate forbids",
    ),
    "stale-while-revalidate with no-cache": (
        lambda: Freshness(stale_while_revalidate=MINUTE, no_cache=True),
        "stale_while_revalidate skips revalidation, which no_cache requires",
    ),
    "a ttl with no-cache": (lambda: Freshness(ttl=DAY, no_cache=True), "a ttl has no effect"),
    "Vary on Cookie when shared": (
        lambda: Policy(name="X", browser=Freshness(ttl=DAY), vary=("cookie",)),
        "varying on Cookie makes it private",
    ),
    "Vary on Authorization when shared": (
        lambda: Policy(name="X", vary=("Authorization",)),
        "varying on Authorization makes it private",
    ),
    "Vary on everything": (lambda: Policy(name="X", vary=("*",)), r"Vary: \*"),
    "a negative ttl": (lambda: Freshness(ttl=timedelta(seconds=-1)), "can't be negative"),
    "a negative stale span": (lambda: Freshness(stale_if_error=-DAY), "can't be negative"),
    "a ttl that is a number": (
        lambda: Freshness(ttl=60),  # type: ignore[arg-type]  # the fault under test
        "write it as a timedelta",
    ),
    "no-store with a ttl": (
        lambda: Policy(name="X", no_store=True, browser=Freshness(ttl=DAY)),
        "no_store stores nothing",
    ),
    "no-store with an edge": (
        lambda: Policy(name="X", no_store=True, edge=Freshness()),
        "no_store stores nothing",
    ),
    "no-store and public": (lambda: Policy(name="X", no_store=True, public=True), "contradict"),
    "no-store and must-understand": (
        lambda: Policy(name="X", no_store=True, must_understand=True),
        "contradict",
    ),
    "immutable without a ttl": (lambda: Policy(name="X", immutable=True), "give the browser a ttl"),
    "purged=False without a limit in time": (
        lambda: Policy(name="X", purged=False),
        "set timed=True",
    ),
    "stale-if-error with no-cache": (
        lambda: Freshness(stale_if_error=MINUTE, no_cache=True),
        "stale_if_error skips revalidation, which no_cache requires",
    ),
    "no-store with stale-while-revalidate": (
        lambda: Policy(name="X", no_store=True, browser=Freshness(stale_while_revalidate=DAY)),
        "no_store stores nothing",
    ),
    "no-store with stale-if-error": (
        lambda: Policy(name="X", no_store=True, browser=Freshness(stale_if_error=DAY)),
        "no_store stores nothing",
    ),
    "no-store and immutable": (
        lambda: Policy(name="X", no_store=True, immutable=True),
        "no_store and immutable contradict",
    ),
    "no ttl at all": (
        lambda: Freshness(ttl=None),  # type: ignore[arg-type]  # the fault under test
        "write it as a timedelta",
    ),
    "a negative stale-while-revalidate": (
        lambda: Freshness(stale_while_revalidate=-DAY),
        "stale_while_revalidate is -86400 seconds",
    ),
    "a stale span that is a number": (
        lambda: Freshness(stale_if_error=60),  # type: ignore[arg-type]  # the fault under test
        "stale_if_error is 60: write it as a timedelta",
    ),
    "a field name that is a number": (
        lambda: Policy(name="X", vary=(5,)),  # type: ignore[arg-type]  # the fault under test
        "vary contains 5",
    ),
    "no name": (lambda: Policy(name=""), "needs a name"),
    "a field name that is none": (
        lambda: Policy(name="X", private=("Set Cookie",)),
        "not a header field name",
    ),
}


@pytest.mark.parametrize(("make", "reason"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_refused_with_its_reason(make: Any, reason: str) -> None:
    """A contradictory policy raises PolicyError."""
    with pytest.raises(PolicyError, match=reason):
        make()


WORDS = {
    "no store": (NO_STORE, "keeps nothing", "keeps nothing"),
    "private": (
        Policy(name="X", private=True, browser=Freshness(ttl=MINUTE)),
        "keeps it for 1 minute",
        "keeps nothing",
    ),
    "both": (
        Policy(
            name="X",
            edge=Freshness(ttl=DAY, stale_while_revalidate=MINUTE, stale_if_error=7 * DAY),
            vary=("Accept-Language",),
        ),
        "revalidates each time",
        (
            "keeps it for 1 day, then up to 1 minute more while it revalidates, "
            "up to 7 days more if the origin fails, one copy per Accept-Language"
        ),
    ),
    "must revalidate": (
        Policy(
            name="X",
            browser=Freshness(ttl=MINUTE, must_revalidate=True),
            edge=Freshness(must_revalidate=True),
        ),
        "keeps it for 1 minute, never longer",
        "revalidates each time",
    ),
    "fields to validate": (
        Policy(name="X", browser=Freshness(ttl=MINUTE, no_cache=("X-B", "X-A"))),
        "keeps it for 1 minute, revalidates before it reuses X-A, X-B",
        "keeps it for 1 minute, revalidates before it reuses X-A, X-B",
    ),
    "immutable": (
        Policy(name="X", browser=Freshness(ttl=MINUTE), immutable=True),
        "keeps it for 1 minute, without revalidation",
        "keeps it for 1 minute",
    ),
    "until midnight": (
        Policy(name="X", browser=Freshness(ttl=MINUTE), until="midnight", vary=("A", "B")),
        "keeps it for 1 minute, until the next midnight in UTC",
        "keeps it for 1 minute, until the next midnight in UTC, one copy per A, B",
    ),
    "until the next hour": (
        Policy(name="X", browser=Freshness(ttl=MINUTE), until="hour"),
        "keeps it for 1 minute, until the next hour",
        "keeps it for 1 minute, until the next hour",
    ),
    "private and no-store": (
        Policy(name="X", private=True, no_store=True),
        "keeps nothing",
        "keeps nothing",
    ),
    "fields": (
        Policy(name="X", private=("set-cookie",), browser=Freshness(ttl=90 * MINUTE)),
        "keeps it for 1 hour 30 minutes",
        "keeps it for 1 hour 30 minutes, without Set-Cookie",
    ),
}


@pytest.mark.parametrize(("policy", "browser", "edge"), WORDS.values(), ids=WORDS)
def test_a_policy_can_be_said_in_words(policy: Policy, browser: str, edge: str) -> None:
    """Each audience has a phrase."""
    assert policy.texts_by_audience() == (browser, edge)


def _fields_of(value: bool | tuple[str, ...]) -> set[str]:
    return set() if isinstance(value, bool) else set(value)


def _union(one: bool | tuple[str, ...], two: bool | tuple[str, ...]) -> bool | tuple[str, ...]:
    if one is True or two is True:
        return True
    return tuple(sorted(_fields_of(one) | _fields_of(two))) or False


_END_ORDER = {"minute": 0, "hour": 1, "midnight": 2, None: 3}


def _end_of(policy: Policy) -> int:
    return _END_ORDER[policy.until]


def _expected_freshness(one: Freshness, two: Freshness) -> Freshness:
    """Return the freshness of two, written without the code under test."""
    no_cache = _union(one.no_cache, two.no_cache)
    must_revalidate = one.must_revalidate or two.must_revalidate

    def shorter(first: timedelta | None, second: timedelta | None) -> timedelta | None:
        if first is None or second is None or must_revalidate or no_cache is True:
            return None
        return min(first, second)

    return Freshness(
        ttl=timedelta() if no_cache is True else min(one.ttl, two.ttl),
        stale_while_revalidate=shorter(one.stale_while_revalidate, two.stale_while_revalidate),
        stale_if_error=shorter(one.stale_if_error, two.stale_if_error),
        must_revalidate=must_revalidate,
        no_cache=no_cache,
    )


def _no_looser(strict: Freshness, loose: Freshness) -> bool:
    zero = timedelta()
    return (
        strict.ttl <= loose.ttl
        and (strict.stale_while_revalidate or zero) <= (loose.stale_while_revalidate or zero)
        and (strict.stale_if_error or zero) <= (loose.stale_if_error or zero)
        and strict.must_revalidate >= loose.must_revalidate
        and (strict.no_cache is True or _fields_of(strict.no_cache) >= _fields_of(loose.no_cache))
        and (strict.no_cache is True or loose.no_cache is not True)
    )


@given(policies(), policies())
def test_a_merge_is_never_more_permissive_than_either(one: Policy, two: Policy) -> None:
    """The stricter value applies, for each audience and each directive."""
    both = one.merge(two)
    for each in (one, two):
        assert both.no_store or not each.no_store
        assert both.private is True or _fields_of(both.private) >= _fields_of(each.private)
        assert both.private is True or each.private is not True
        assert both.no_transform >= each.no_transform
        assert set(both.vary) >= set(each.vary)
        if both.no_store:
            assert not each.no_store or _no_looser(both.browser, each.browser)
            continue
        assert _no_looser(both.browser, each.browser)
        assert both.is_shareable <= each.is_shareable
        assert not both.is_shareable or _no_looser(both.edge_freshness, each.edge_freshness)
        assert both.public <= each.public
        assert both.immutable <= each.immutable
        assert both.literal <= each.literal
        assert both.must_understand >= each.must_understand
        assert both.timed >= each.timed
        assert both.purged >= each.purged
        assert _end_of(both) <= _end_of(each)


@given(storing_policies(), storing_policies())
def test_a_merge_adds_no_restriction_that_neither_has(one: Policy, two: Policy) -> None:
    """Each field of the result equals that of one of the two, or the union of both."""
    both = one.merge(two)
    assert both.private == _union(one.private, two.private)
    assert both.browser == _expected_freshness(one.browser, two.browser)
    if both.private is True or (one.edge is None and two.edge is None):
        assert both.edge is None
    else:
        assert both.edge == _expected_freshness(one.edge_freshness, two.edge_freshness)
    assert both.public == (one.public and two.public)
    assert both.literal == (one.literal and two.literal)
    assert both.must_understand == (one.must_understand or two.must_understand)
    assert both.no_transform == (one.no_transform or two.no_transform)
    assert both.timed == (one.timed or two.timed)
    assert both.purged == (one.purged or two.purged)
    assert both.until == min((one.until, two.until), key=lambda end: _END_ORDER[end])
    keeps_immutable = both.browser.ttl and both.until is None
    assert both.immutable == bool(one.immutable and two.immutable and keeps_immutable)
    assert set(both.vary) == {*one.vary, *two.vary}


@given(policies(), policies())
def test_a_no_store_policy_keeps_only_its_own_lifetime_directives(one: Policy, two: Policy) -> None:
    """The other policy's no-cache and must-revalidate have no effect on a page that is not stored."""
    both = one.merge(two)
    assert both.no_store == (one.no_store or two.no_store)
    if both.no_store:
        restrictions = [each.browser for each in (one, two) if each.no_store]
        assert both.browser.must_revalidate == any(each.must_revalidate for each in restrictions)
        assert _fields_of(both.browser.no_cache) <= {
            name for each in restrictions for name in _fields_of(each.no_cache)
        }
        assert both.no_transform == (one.no_transform or two.no_transform)
        assert both.private == _union(one.private, two.private)


@given(policies(), policies(), policies())
def test_a_merge_does_not_care_about_order(one: Policy, two: Policy, three: Policy) -> None:
    """Hence neither the order nor the repetition of decorators matters."""
    assert one.merge(two) == two.merge(one)
    assert one.merge(one) == one
    assert one.merge(one).merge(two) == one.merge(two)
    assert one.merge(two).merge(three) == one.merge(two.merge(three))


@given(policies(), st.sampled_from(sorted(DIALECTS)), st.none() | spans)
def test_stale_serving_and_s_maxage_never_stand_together_by_our_hand(
    policy: Policy, dialect: str, cap: timedelta | None
) -> None:
    """s-maxage forbids stale serving (RFC 9111 §5.2.2.10)."""
    for _, value in format_policy(policy, (DIALECTS[dialect],), cap=cap):
        directives = Directives.parse([value])
        if "s-maxage" in directives and policy.browser.stale_if_error is None:
            assert "stale-if-error" not in directives


@given(policies(), st.sampled_from(sorted(DIALECTS)), spans)
def test_an_edge_that_cannot_be_purged_keeps_no_longer_than_the_cap(
    policy: Policy, dialect: str, cap: timedelta
) -> None:
    """Only the gateway, which is purged, gets the full time."""
    if policy.edge is None or policy.literal or policy.immutable or DIALECTS[dialect].can_be_purged:
        return
    if not policy.purged:
        return
    for name, value in format_policy(policy, (DIALECTS[dialect],), cap=cap):
        if name == "X-Accel-Expires":
            assert int(value) <= cap.total_seconds()
        else:
            directives = Directives.parse([value])
            key = "s-maxage" if name == "Cache-Control" else "max-age"
            assert (directives.seconds(key) or timedelta()) <= cap


def test_an_app_can_give_its_own_names_to_the_settings_in_an_error() -> None:
    """Only settings are renamed; a value that looks like a setting or a placeholder stays."""
    error = SettingError("{} is {value!r}, but {} is not set.", "EDGE_A", "EDGE_B", value="EDGE_{}")
    assert str(error) == "EDGE_A is 'EDGE_{}', but EDGE_B is not set."
    assert error.explain("MY_{}".format) == "MY_EDGE_A is 'EDGE_{}', but MY_EDGE_B is not set."


def test_field_names_are_normalised() -> None:
    """Order, case, repetition and spaces of header field names have no effect."""
    text: Any = " x-b, X-A ,x-a"  # the fields are typed as tuples, but text and lists are accepted
    names: Any = ["accept", "DNT"]
    one = Policy(name="X", private=text, vary=names)
    assert (one.private, one.vary) == (("X-A", "X-B"), ("Accept", "Dnt"))
    assert Freshness(no_cache=text).no_cache == ("X-A", "X-B")
    assert Policy(name="X", private=()).private is False
    assert Policy(name="X", vary=()).vary == ()


def test_a_merged_policy_has_both_names_once() -> None:
    """Reports show which marks a policy comes from."""
    first, second = Policy(name="B"), Policy(name="A")
    assert first.merge(second).merge(first).name == "A+B"
    assert first.merge(NO_STORE).name == "B+NO_STORE"


def test_more_vary_is_added_to_a_policy() -> None:
    """The names of the policy stay."""
    assert Policy(name="X", vary=("B",)).with_vary(("A", "b")).vary == ("A", "B")


ENDING = Policy(
    name="X",
    browser=Freshness(ttl=DAY, stale_if_error=DAY),
    edge=Freshness(ttl=DAY, stale_while_revalidate=DAY),
    until="hour",
)


def test_a_page_that_ends_is_fresh_until_then_and_never_stale() -> None:
    """Browser and edge get the remaining time, must revalidate, and the policy is timed."""
    policy = ENDING.ending(datetime(2026, 1, 1, 12, 59, tzinfo=UTC))
    correct = Freshness(ttl=MINUTE, must_revalidate=True)
    assert (policy.browser, policy.edge, policy.timed) == (correct, correct, True)
    no_edge = replace(ENDING, edge=None).ending(datetime(2026, 1, 1, 12, 59, tzinfo=UTC))
    assert (no_edge.browser, no_edge.edge) == (correct, None)


def test_a_page_without_an_end_is_not_changed() -> None:
    """Nor is one that is not stored at all."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    page = replace(ENDING, until=None)
    assert page.ending(now) is page
    not_stored = Policy(name="X", no_store=True, until="hour")
    assert not_stored.ending(now) is not_stored


def test_a_duration_stands_for_a_freshness() -> None:
    """`Policy("PAGE", edge=days(1))`: the name comes first, and the browser revalidates."""
    short = Policy("PAGE", edge=days(1))
    assert short == Policy(name="PAGE", browser=Freshness(), edge=Freshness(ttl=DAY))
    assert Policy("PAGE", browser=minutes(5)).browser == Freshness(ttl=5 * MINUTE)
    assert replace(short, name="OTHER").edge == short.edge
    assert (days(1), hours(2), minutes(3), seconds(4)) == (
        timedelta(days=1),
        timedelta(hours=2),
        timedelta(minutes=3),
        timedelta(seconds=4),
    )


@pytest.mark.parametrize("audience", ["browser", "edge"])
@pytest.mark.parametrize("value", [5, "1d", 0, Policy("INNER")])
def test_a_freshness_of_another_type_is_refused(audience: str, value: object) -> None:
    """A number has no unit, so the message says how a duration is written."""
    wrong: Any = {audience: value}
    with pytest.raises(PolicyError, match=rf"Policy 'PAGE': {audience} is .*days\(1\)"):
        Policy("PAGE", **wrong)
