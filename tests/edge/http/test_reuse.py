"""How a stored response may be used, at each limit of its age."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from app.edge.http import (
    reuse,
)

DATE = "Sun, 06 Nov 1994 08:49:37 GMT"


@dataclass(frozen=True, kw_only=True)
class Page:
    """The freshness data of a stored response."""

    lifetime: float = 100
    requires_validation: bool = False
    forbids_stale: bool = False
    stale_while_revalidate: float = 10
    stale_if_error: float = 20


FRESH, STALE = reuse.ReuseDecision.FRESH, reuse.ReuseDecision.STALE
REQUEST, MAX_STALE = reuse.ReuseDecision.REQUEST, reuse.ReuseDecision.MAX_STALE
IN_WINDOW = reuse.ReuseDecision.STALE_WHILE_REVALIDATE
REUSE: dict[str, tuple[Page, float, str, reuse.ReuseDecision]] = {
    "fresh until its lifetime": (Page(), 99.9, "", FRESH),
    "stale at its lifetime": (Page(stale_while_revalidate=0), 100, "", STALE),
    "the window begins at the lifetime": (Page(), 100, "", IN_WINDOW),
    "inside of the window": (Page(), 109.9, "", IN_WINDOW),
    "at the end of the window": (Page(), 110, "", STALE),
    "must-revalidate has no window": (Page(forbids_stale=True), 100, "", STALE),
    "must-revalidate while it is fresh": (Page(forbids_stale=True), 99, "", FRESH),
    "no-cache is never fresh": (Page(requires_validation=True), 0, "max-stale", STALE),
    "max-age of the request, equal": (Page(), 50, "max-age=50", FRESH),
    "max-age of the request, below": (Page(), 50.1, "max-age=50", REQUEST),
    "max-age=0 on a page that is new": (Page(), 0, "max-age=0", FRESH),
    "max-age=0 on a page that is older": (Page(), 1, "max-age=0", REQUEST),
    "min-fresh, equal": (Page(), 90, "min-fresh=10", FRESH),
    "min-fresh, above": (Page(), 90.1, "min-fresh=10", REQUEST),
    "max-stale without a number": (Page(), 9999, "max-stale", MAX_STALE),
    "max-stale, equal": (Page(), 150, "max-stale=50", MAX_STALE),
    "max-stale, above": (Page(), 150.1, "max-stale=50", STALE),
    "max-stale that is no number": (Page(), 101, "max-stale=x", IN_WINDOW),
    "max-stale on a fresh page": (Page(), 50, "max-stale", FRESH),
    "max-stale against must-revalidate": (Page(forbids_stale=True), 100, "max-stale", STALE),
    "max-stale below max-age": (Page(), 150, "max-stale, max-age=120", REQUEST),
    "no-cache of the request": (Page(), 0, "no-cache", REQUEST),
    "no-cache of the request, on a stale page": (Page(), 150, "no-cache", REQUEST),
    "a directive of other caches": (Page(), 0, "only-if-cached", FRESH),
}
ERRORS: dict[str, tuple[Page, float, str, float, bool]] = {
    "before the end of the window": (Page(), 119.9, "", 0, True),
    "at the end of the window": (Page(), 120, "", 0, False),
    "a fresh page": (Page(stale_if_error=0), 99, "", 0, True),
    "at the lifetime, without a window": (Page(stale_if_error=0), 100, "", 0, False),
    "the window of the request is longer": (Page(), 129, "stale-if-error=30", 0, True),
    "the window of the request is shorter": (Page(), 119, "stale-if-error=5", 0, True),
    "the default is longer": (Page(), 139, "", 40, True),
    "the default is shorter": (Page(), 119, "", 5, True),
    "at the end of the default": (Page(), 140, "", 40, False),
    "must-revalidate": (Page(forbids_stale=True), 101, "stale-if-error=30", 40, False),
    "must-revalidate, on a fresh page": (Page(forbids_stale=True), 1, "", 40, False),
    "no-cache": (Page(requires_validation=True), 1, "", 40, False),
    "no-cache of the request": (Page(), 1, "no-cache", 40, False),
    "max-age of the request": (Page(), 101, "max-age=100", 40, False),
    "max-stale has no effect": (Page(), 120, "max-stale", 0, False),
}
HONOURED = {
    *("max-age", "max-stale", "min-fresh", "no-cache", "only-if-cached", "stale-if-error"),
}


class TestReuse:
    """How a stored response may be used at each age."""

    @pytest.mark.parametrize(("page", "age", "asks", "result"), REUSE.values(), ids=REUSE)
    def test_the_decision(
        self, page: Page, age: float, asks: str, result: reuse.ReuseDecision
    ) -> None:
        """Fresh, in one of the two windows of staleness, or to be validated."""
        directives = reuse.parse_request_directives([asks], None, HONOURED)
        assert reuse.decide_reuse(page, age=age, request_directives=directives) is result

    @pytest.mark.parametrize(
        ("page", "age", "asks", "default", "result"), ERRORS.values(), ids=ERRORS
    )
    def test_a_stale_page_replaces_an_error(
        self, page: Page, age: float, asks: str, default: float, result: bool
    ) -> None:
        """Within the longest of the windows of response, request and options (RFC 5861)."""
        directives = reuse.parse_request_directives([asks], None, HONOURED)
        answer = reuse.may_replace_error(
            page, age=age, request_directives=directives, default=default
        )
        assert answer is result

    @pytest.mark.parametrize(
        ("lines", "pragma", "names"),
        [
            ([], None, set()),
            ([], "no-cache", {"no-cache"}),
            ([], "No-Cache, x", {"no-cache"}),
            ([], "x", set()),
            ([""], "no-cache", {"no-cache"}),
            (["max-age=5"], "no-cache", {"max-age"}),
            (["no-store"], "no-cache", set()),
            (["no-store, no-cache"], None, {"no-cache"}),
        ],
    )
    def test_pragma_counts_only_without_cache_control(
        self, lines: list[str], pragma: str | None, names: set[str]
    ) -> None:
        """A Cache-Control with directives that are not obeyed replaces Pragma, too."""
        assert set(reuse.parse_request_directives(lines, pragma, HONOURED)) == names
