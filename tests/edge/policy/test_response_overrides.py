"""Directives of a response, applied to its route's policy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge import NO_STORE, Freshness, Policy
from app.edge.http.cache_control import Directives
from app.edge.policy.cdn_headers import format_policy, parse_dialects
from app.edge.policy.response_overrides import apply_overrides, max_age_from_expires

from .strategies import directive_lists, policies

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


def test_no_store_is_heard_before_expires() -> None:
    """An Expires adds no lifetime to a response that must not be stored."""
    directives = Directives.of(no_store=True)
    assert max_age_from_expires(directives, "Thu, 01 Jan 2026 00:02:00 GMT", NOW) == directives


def test_without_expires_the_directives_are_unchanged() -> None:
    """There is nothing to convert."""
    assert max_age_from_expires(Directives.of(public=True), None, NOW) == Directives.of(public=True)


WHOLE_MARK = Policy(
    name="WHOLE_MARK",
    browser=Freshness(
        ttl=timedelta(seconds=60),
        stale_while_revalidate=timedelta(seconds=61),
        stale_if_error=timedelta(seconds=62),
        no_cache=("X-Browser",),
    ),
    edge=Freshness(
        ttl=timedelta(seconds=100),
        stale_while_revalidate=timedelta(seconds=101),
        stale_if_error=timedelta(seconds=102),
        no_cache=("X-Edge",),
    ),
    private=("X-Private",),
    public=True,
    immutable=True,
    no_transform=True,
    must_understand=True,
    vary=("Accept",),
)
BROWSER = WHOLE_MARK.browser
EDGE = WHOLE_MARK.edge_freshness
STRICT = {"stale_while_revalidate": None, "stale_if_error": None}
ALWAYS = {**STRICT, "ttl": timedelta(), "no_cache": True}
Changes = dict[str, Any]
CHANGES: dict[str, tuple[str, Changes, Changes, Changes]] = {
    "max-age, shorter than the edge's": (
        "max-age=7",
        {"ttl": timedelta(seconds=7)},
        {"ttl": timedelta(seconds=7), **STRICT},
        {"timed": True},
    ),
    "max-age, longer than the edge's": (
        "max-age=700",
        {"ttl": timedelta(seconds=700)},
        STRICT,
        {"timed": True},
    ),
    "max-age=0 ends immutable": (
        "max-age=0",
        {"ttl": timedelta()},
        {"ttl": timedelta(), **STRICT},
        {"timed": True, "immutable": False},
    ),
    "s-maxage": (
        "s-maxage=700",
        {},
        {"ttl": timedelta(seconds=700)},
        {"timed": True, "literal": True},
    ),
    "both lifetimes": (
        "max-age=5, s-maxage=6",
        {"ttl": timedelta(seconds=5)},
        {"ttl": timedelta(seconds=6)},
        {"timed": True, "literal": True},
    ),
    "must-revalidate": (
        "must-revalidate",
        {**STRICT, "must_revalidate": True},
        {**STRICT, "must_revalidate": True},
        {},
    ),
    "proxy-revalidate": ("proxy-revalidate", {}, {**STRICT, "must_revalidate": True}, {}),
    "no-cache": ("no-cache", ALWAYS, ALWAYS, {"immutable": False}),
    "no-cache fields": (
        'no-cache="X-More"',
        {"no_cache": ("X-Browser", "X-More")},
        {"no_cache": ("X-Edge", "X-More")},
        {},
    ),
    "private fields": ('private="X-More"', {}, {}, {"private": ("X-More", "X-Private")}),
    "stale-while-revalidate": (
        "stale-while-revalidate=3",
        {"stale_while_revalidate": timedelta(seconds=3)},
        {"stale_while_revalidate": timedelta(seconds=3)},
        {},
    ),
    "stale-if-error": (
        "stale-if-error=3",
        {"stale_if_error": timedelta(seconds=3)},
        {"stale_if_error": timedelta(seconds=3)},
        {},
    ),
    "max-age with a stale span": (
        "max-age=7, stale-if-error=3",
        {"ttl": timedelta(seconds=7), "stale_if_error": timedelta(seconds=3)},
        {"ttl": timedelta(seconds=7), **STRICT, "stale_if_error": timedelta(seconds=3)},
        {"timed": True},
    ),
    "must-revalidate forbids stale spans": (
        "must-revalidate, stale-if-error=3, stale-while-revalidate=3",
        {**STRICT, "must_revalidate": True},
        {**STRICT, "must_revalidate": True},
        {},
    ),
    "directives that the mark has": (
        "public, immutable, no-transform, must-understand",
        {},
        {},
        {},
    ),
    "no-store where must-understand replaces it": ("must-understand, no-store", {}, {}, {}),
}


@pytest.mark.parametrize(("header", "browser", "edge", "others"), CHANGES.values(), ids=CHANGES)
def test_a_directive_changes_its_own_field_of_the_mark(
    header: str, browser: Changes, edge: Changes, others: Changes
) -> None:
    """All other fields of the route's policy stay as they are."""
    correct = replace(
        WHOLE_MARK, browser=replace(BROWSER, **browser), edge=replace(EDGE, **edge), **others
    )
    assert apply_overrides(WHOLE_MARK, Directives.parse([header])) == correct


@pytest.mark.parametrize("private", ["private", 'private="X-More", private'])
def test_private_leaves_nothing_to_the_edge(private: str) -> None:
    """The browser's part of the mark stays."""
    correct = replace(WHOLE_MARK, private=True, edge=None, public=False)
    assert apply_overrides(WHOLE_MARK, Directives.parse([private])) == correct


PLAIN = Policy(name="PLAIN", browser=Freshness(ttl=timedelta(seconds=60), no_cache=("X-A",)))
ADDED: dict[str, tuple[str, Policy]] = {
    "public": ("public", replace(PLAIN, public=True)),
    "immutable": ("immutable", replace(PLAIN, immutable=True)),
    "no-transform": ("no-transform", replace(PLAIN, no_transform=True)),
    "must-understand": ("must-understand", replace(PLAIN, must_understand=True)),
    "s-maxage": (
        "s-maxage=5",
        replace(PLAIN, edge=Freshness(ttl=timedelta(seconds=5)), literal=True, timed=True),
    ),
    "proxy-revalidate": (
        "proxy-revalidate",
        replace(
            PLAIN,
            edge=Freshness(ttl=timedelta(seconds=60), must_revalidate=True, no_cache=("X-A",)),
            literal=True,
        ),
    ),
}


@pytest.mark.parametrize(("header", "correct"), ADDED.values(), ids=ADDED)
def test_a_directive_is_added_to_a_mark_without_it(header: str, correct: Policy) -> None:
    """The mark has no edge freshness and none of these directives."""
    assert apply_overrides(PLAIN, Directives.parse([header])) == correct


NOT_STORED = Policy(
    name="NOT_STORED",
    no_store=True,
    browser=Freshness(no_cache=("X-A",), must_revalidate=True),
    private=("X-B",),
    no_transform=True,
    vary=("Accept",),
)
BARE = Policy(name="BARE", no_store=True)
NO_STORE_CASES: dict[str, tuple[Policy | None, str, str]] = {
    "nothing is added": (
        NOT_STORED,
        "",
        'private="X-B", no-cache="X-A", no-store, must-revalidate, no-transform',
    ),
    "fields are added": (
        NOT_STORED,
        'private="X-C", no-cache="X-D"',
        'private="X-B, X-C", no-cache="X-A, X-D", no-store, must-revalidate, no-transform',
    ),
    "the whole response replaces fields": (
        NOT_STORED,
        "private, no-cache",
        "private, no-cache, no-store, must-revalidate, no-transform",
    ),
    "lifetimes are not added": (
        NOT_STORED,
        "max-age=60, s-maxage=60, public, immutable, stale-if-error=60",
        'private="X-B", no-cache="X-A", no-store, must-revalidate, no-transform',
    ),
    "all on a bare no-store": (
        BARE,
        'private="A", no-cache="B", must-revalidate, no-transform',
        'private="A", no-cache="B", no-store, must-revalidate, no-transform',
    ),
    "the restrictions of a mark that stored stay": (
        WHOLE_MARK,
        "no-store, must-revalidate",
        'private="X-Private", no-store, must-revalidate, no-transform',
    ),
    "a private mark stays private": (ACCOUNT, "no-store", "private, no-store"),
    "on no mark": (None, "no-store, no-transform", "no-store, no-transform"),
    "on no mark, for the browser": (None, "no-store, private", "private, no-store"),
    "on no mark, no word on storing": (None, "must-revalidate", "no-store"),
}


@pytest.mark.parametrize(("base", "view", "header"), NO_STORE_CASES.values(), ids=NO_STORE_CASES)
def test_no_store_takes_only_restrictions(base: Policy | None, view: str, header: str) -> None:
    """The restrictions of the mark and of the response add up; a lifetime has no effect."""
    policy = apply_overrides(base, Directives.parse([view]))
    assert format_policy(policy, parse_dialects("broadsheet"), cap=None) == (
        ("Cache-Control", header),
    )
    assert policy.name == (base.name if base else NO_STORE.name)
    assert policy.vary == (base.vary if base else ())


def test_must_understand_alone_stores() -> None:
    """`no-store, must-understand` on a response means: store it if you understand its status."""
    policy = apply_overrides(None, Directives.parse(["max-age=60, must-understand, no-store"]))
    assert policy == Policy(
        name="response",
        literal=True,
        timed=True,
        must_understand=True,
        browser=Freshness(ttl=timedelta(seconds=60)),
    )


def test_a_page_that_ends_is_never_immutable() -> None:
    """The route's end applies: the page changes then."""
    today = Policy(name="TODAY", browser=Freshness(ttl=timedelta(days=1)), until="midnight")
    assert apply_overrides(today, Directives.parse(["immutable"])) == today


def _names(value: bool | tuple[str, ...]) -> set[str]:
    return set(value) if isinstance(value, tuple) else set()


def _covers(strict: bool | tuple[str, ...], other: bool | tuple[str, ...]) -> bool:
    return strict is True or (other is not True and _names(strict) >= _names(other))


def _given(directives: Directives, name: str) -> bool | tuple[str, ...]:
    return directives.is_unqualified(name) or tuple(
        field.title() for field in directives.fields(name)
    )


@given(policies(), directive_lists)
def test_a_response_is_never_more_open_than_its_route(base: Policy, values: list[str]) -> None:
    """Only lifetimes and stale spans can be replaced; each restriction of the mark stays."""
    policy = apply_overrides(base, Directives.parse(values))
    assert policy.no_store >= base.no_store
    assert policy.is_shareable <= base.is_shareable
    assert _covers(policy.private, base.private)
    assert policy.no_transform >= base.no_transform
    assert policy.vary == base.vary
    if policy.no_store:
        return
    assert (policy.until, policy.zone) == (base.until, base.zone)
    assert policy.must_understand >= base.must_understand
    assert (policy.timed, policy.purged) >= (base.timed, base.purged)
    assert policy.purged == base.purged
    audiences = [(policy.browser, base.browser)]
    if policy.is_shareable:
        audiences.append((policy.edge_freshness, base.edge_freshness))
    for result, mark in audiences:
        if result is policy.edge and base.edge is None:
            continue
        assert _covers(result.no_cache, mark.no_cache)
        assert result.must_revalidate >= mark.must_revalidate
        assert not (
            mark.must_revalidate and (result.stale_if_error or result.stale_while_revalidate)
        )


@given(st.none() | policies(), directive_lists)
def test_a_response_is_never_more_open_than_its_own_directives(
    base: Policy | None, values: list[str]
) -> None:
    """Each restriction that the view has written is in the result, for both audiences."""
    directives = Directives.parse(values)
    policy = apply_overrides(base, directives)
    if "no-store" in directives and "must-understand" not in directives:
        assert policy.no_store
    if base is not None or policy.name != NO_STORE.name:
        assert _covers(policy.private, _given(directives, "private"))
        assert policy.no_transform >= ("no-transform" in directives)
    if policy.no_store:
        return
    for freshness in (policy.browser, policy.edge_freshness):
        if not (policy.is_shareable or freshness is policy.browser):
            continue
        assert _covers(freshness.no_cache, _given(directives, "no-cache"))
        assert freshness.must_revalidate >= ("must-revalidate" in directives)
    if policy.is_shareable and "proxy-revalidate" in directives:
        assert policy.edge_freshness.must_revalidate
