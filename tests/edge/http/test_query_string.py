"""Canonical query strings."""

from __future__ import annotations

from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.http.query_string import canonical_query, is_canonical_query

CASES = {
    "empty": ("", "", True),
    "declared": ("q=rust", "q=rust", True),
    "undeclared": ("x=1", "", False),
    "undeclared beside declared": ("x=1&q=rust", "q=rust", False),
    "twice": ("q=one&q=two", "q=one", False),
    "blank": ("q=", "", False),
    "blank, then not": ("q=&q=two", "q=two", False),
    "no value": ("q", "", False),
    "order": ("q=1&a=2", "a=2&q=1", False),
    "another encoding": ("q=a%20b", "q=a+b", False),
    "an encoded name": ("%71=1", "q=1", False),
    "tracker": ("utm_source=x", "", True),
    "trackers beside declared": ("fbclid=1&q=rust&gclid=2", "q=rust", True),
    "another case": ("Q=1", "", False),
    "not UTF-8": ("q=%ff", "q=%EF%BF%BD", False),
    "lone delimiters": ("&&", "", False),
    "a delimiter too many": ("q=rust&", "q=rust", False),
    "a tracker in disguise": ("utm%5fsource=x", "", False),
}


@pytest.mark.parametrize(("query", "tidy", "was_tidy"), CASES.values(), ids=CASES)
def test_a_query_has_one_spelling(query: str, tidy: str, was_tidy: bool) -> None:
    """Declared, once, not blank, sorted; tracking parameters cause no redirect."""
    assert canonical_query(query, {"q", "a"}) == tidy
    assert is_canonical_query(query, {"q", "a"}) == was_tidy


@given(st.text())
def test_a_redirect_leads_to_a_url_that_is_not_redirected(query: str) -> None:
    """No query causes a redirect loop."""
    tidy = canonical_query(query, {"q", "a"})
    assert is_canonical_query(tidy, {"q", "a"})
    assert canonical_query(tidy, {"q", "a"}) == tidy
    assert set(parse_qs(tidy)) <= {"q", "a"}
