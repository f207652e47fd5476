"""Hypothesis strategies that draw valid policies and lists of directives."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from app.edge import NO_STORE, Freshness, Policy

spans = st.integers(0, 10**6).map(lambda seconds: timedelta(seconds=seconds))
fields: st.SearchStrategy[bool | tuple[str, ...]] = st.one_of(
    st.booleans(),
    st.lists(st.sampled_from(["Set-Cookie", "X-One", "X-Two"])).map(tuple),
)


@st.composite
def freshnesses(draw: st.DrawFn) -> Freshness:
    """Draw any valid freshness."""
    no_cache = draw(fields)
    must = draw(st.booleans())
    strict = must or no_cache is True
    return Freshness(
        ttl=timedelta() if no_cache is True else draw(spans),
        stale_while_revalidate=None if strict else draw(st.none() | spans),
        stale_if_error=None if strict else draw(st.none() | spans),
        must_revalidate=must,
        no_cache=no_cache,
    )


_NAMES = st.sampled_from(["A", "B", "C"])
_VARY = st.lists(st.sampled_from(["Accept", "Accept-Language"])).map(tuple)
_LIMITS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {"timed": True}, {"timed": True, "purged": False}]
)
_ENDS: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
    [{}, {}, {"until": "minute"}, {"until": "hour"}, {"until": "midnight"}]
)


@st.composite
def no_store_policies(draw: st.DrawFn) -> Policy:
    """Draw a policy with no-store and any of the directives that it may combine with."""
    restrictions = Freshness(no_cache=draw(fields), must_revalidate=draw(st.booleans()))
    return Policy(
        name=draw(_NAMES),
        no_store=True,
        browser=restrictions,
        private=draw(fields),
        no_transform=draw(st.booleans()),
        vary=draw(_VARY),
    )


@st.composite
def storing_policies(draw: st.DrawFn) -> Policy:
    """Draw a policy without no-store."""
    private = draw(fields)
    browser = draw(freshnesses())
    ends = draw(_ENDS)
    return Policy(
        name=draw(_NAMES),
        browser=browser,
        edge=None if private is True else draw(st.none() | freshnesses()),
        private=private,
        public=private is not True and draw(st.booleans()),
        immutable=bool(browser.ttl) and not ends and draw(st.booleans()),
        no_transform=draw(st.booleans()),
        must_understand=draw(st.booleans()),
        vary=draw(_VARY),
        literal=draw(st.booleans()),
        **draw(_LIMITS),
        **ends,
    )


def policies() -> st.SearchStrategy[Policy]:
    """Draw any valid policy."""
    storing = storing_policies()
    return st.one_of(st.just(NO_STORE), no_store_policies(), storing, storing, storing)


DIRECTIVES = (
    *("max-age=9", "max-age=7200", "max-age=x", "max-age", "s-maxage=7", "s-maxage=99999"),
    *("no-cache", 'no-cache="B"', "private", 'private="A"', "no-store", "public"),
    *("must-revalidate", "proxy-revalidate", "must-understand", "no-transform", "immutable"),
    *("stale-while-revalidate=3", "stale-if-error=4"),
)
"""Every response directive, some with several arguments."""

directive_lists = st.lists(st.sampled_from(DIRECTIVES), max_size=6)
