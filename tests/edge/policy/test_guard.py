"""The guard's decisions, from facts only."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.edge import NO_STORE, Freshness, Policy
from app.edge.policy.guard import (
    LEAK_REASONS,
    ResponseFacts,
    find_leaks,
    find_reason_not_to_share,
    summarise,
)

PUBLIC = Policy(name="PUBLIC", browser=Freshness(ttl=timedelta(minutes=1)), vary=("Accept",))
PRIVATE = Policy(name="PRIVATE", private=True)
COOKIE_ASIDE = Policy(name="ASIDE", private=("Set-Cookie",))

CASES: dict[str, tuple[dict[str, Any], str | None]] = {
    "nothing touched": ({}, None),
    **{code: ({"reason_codes": frozenset({code})}, code) for code in LEAK_REASONS},
    "a private page may touch all": (
        {
            "policy": PRIVATE,
            "reason_codes": frozenset(LEAK_REASONS),
            "cookies_set": ("a",),
            "is_streamed": True,
        },
        None,
    ),
    "an empty session seen late": ({"reason_codes": frozenset({"session-seen"})}, None),
    "a known reader's session seen late": (
        {"reason_codes": frozenset({"session-read-late"})},
        "session-read",
    ),
    "a cookie set": ({"cookies_set": ("id",)}, "set-cookie"),
    "a cookie set, kept private by name": (
        {"policy": COOKIE_ASIDE, "cookies_set": ("id",)},
        None,
    ),
    "a cookie set, another field kept private": (
        {"policy": Policy(name="ASIDE", private=("X-User",)), "cookies_set": ("id",)},
        "set-cookie",
    ),
    "a cookie set, with Set-Cookie among the private fields": (
        {"policy": Policy(name="ASIDE", private=("X-User", "Set-Cookie")), "cookies_set": ("id",)},
        None,
    ),
    "Accept read and not declared": (
        {"policy": Policy(name="PLAIN"), "headers_read": frozenset({"accept"})},
        "header-undeclared",
    ),
    **{
        f"{name} read and not declared": (
            {"policy": Policy(name="PLAIN"), "headers_read": frozenset({name})},
            "header-undeclared",
        )
        for name in ("accept-encoding", "accept-language", "origin", "referer", "x-forwarded-for")
    },
    **{
        f"{name} is a header of the protocol": ({"headers_read": frozenset({name})}, None)
        for name in (
            *("host", "if-match", "if-none-match", "if-modified-since", "if-unmodified-since"),
            *("if-range", "range"),
        )
    },
    "one of two parameters declared": (
        {"query_read": frozenset({"p", "q"}), "query_declared": frozenset({"q", "r"})},
        "query-undeclared",
    ),
    "an error of a route without a policy": (
        {"policy": NO_STORE, "has_policy": False, "status": 500},
        "unmarked",
    ),
    "an error of a private page": ({"policy": PRIVATE, "status": 500}, "error-status"),
    "an error of a page with no-store": ({"policy": NO_STORE, "status": 500}, None),
    "an app-wide no-store": ({"policy": NO_STORE, "reason_codes": frozenset(LEAK_REASONS)}, None),
    "Vary on Cookie": ({"vary": frozenset({"cookie"})}, "vary-cookie"),
    "Vary on Authorization": ({"vary": frozenset({"authorization"})}, "vary-authorization"),
    "Vary on everything": ({"vary": frozenset({"*"})}, "vary-any"),
    "Vary on a header": ({"vary": frozenset({"accept-encoding"})}, None),
    "a server's error": ({"status": 500}, "error-status"),
    "too many requests": ({"status": 429}, "error-status"),
    "not allowed": ({"status": 401}, "error-status"),
    "not found, and its policy says so": ({"status": 404}, None),
    "gone, and its policy says so": ({"status": 410}, None),
    "moved, and its policy says so": ({"status": 301}, None),
    "a POST": ({"method": "POST"}, "unsafe-method"),
    "a private POST": ({"method": "DELETE", "policy": PRIVATE}, "unsafe-method"),
    "OPTIONS": ({"method": "OPTIONS"}, "unsafe-method"),
    "HEAD": ({"method": "HEAD"}, None),
    "a parameter not declared": ({"query_read": frozenset({"q"})}, "query-undeclared"),
    "a parameter declared": (
        {"query_read": frozenset({"q"}), "query_declared": frozenset({"q"})},
        None,
    ),
    "a header not declared": ({"headers_read": frozenset({"user-agent"})}, "header-undeclared"),
    "a header of the policy": ({"headers_read": frozenset({"accept"})}, None),
    "a header that the response varies on": (
        {"headers_read": frozenset({"dnt"}), "vary": frozenset({"dnt"})},
        None,
    ),
    "a header of validation": ({"headers_read": frozenset({"if-none-match", "range"})}, None),
    "a streamed body": ({"is_streamed": True}, "body-streamed"),
    "no policy at all": ({"policy": NO_STORE, "has_policy": False}, "unmarked"),
    "a policy of no-store": ({"policy": NO_STORE}, None),
}
QUIET = {"unsafe-method", "error-status", "unmarked"}


@pytest.mark.parametrize(("facts", "code"), CASES.values(), ids=CASES)
def test_the_verdict(facts: dict[str, Any], code: str | None) -> None:
    """Each fact has its reason, and a page without one may be shared."""
    finding = find_reason_not_to_share(
        ResponseFacts(**{"view": "site.show", "policy": PUBLIC, **facts})
    )
    assert (finding.code if finding else None) == code


@pytest.mark.parametrize(("facts", "code"), CASES.values(), ids=CASES)
def test_only_a_broken_promise_is_a_leak(facts: dict[str, Any], code: str | None) -> None:
    """An error page or a POST is no leak; a leak names view, policy and reason."""
    finding = find_reason_not_to_share(
        ResponseFacts(**{"view": "site.show", "policy": PUBLIC, **facts})
    )
    if finding is None or "session-read-late" in facts.get("reason_codes", ()):
        return
    assert finding.is_leak == (code not in QUIET)
    assert "site.show" in finding.summary
    if finding.is_leak:
        assert f"({code})" in finding.summary


SHARED_STATUSES = {
    *(200, 203, 204, 206, 300, 301, 302, 303, 304, 307, 308, 404, 410, 451),
}


@pytest.mark.parametrize("status", range(100, 600))
def test_a_status_is_shared_only_if_it_is_listed(status: int) -> None:
    """Errors of the server and responses to one reader's request are never stored."""
    finding = find_reason_not_to_share(
        ResponseFacts(view="site.show", policy=PUBLIC, status=status)
    )
    assert (finding is None) == (status in SHARED_STATUSES)


def test_the_first_reason_is_the_one_that_explains_most() -> None:
    """A page that reads the user also reads session and cookie; the user is reported."""
    codes = list(LEAK_REASONS)
    for position, code in enumerate(codes):
        facts = ResponseFacts(
            view="site.show",
            policy=PUBLIC,
            reason_codes=frozenset(codes[position:]),
            cookies_set=("a",),
            is_streamed=True,
            query_read=frozenset({"q"}),
        )
        finding = find_reason_not_to_share(facts)
        assert finding is not None
        assert finding.code == code


def test_a_summary_names_every_parameter_header_and_cookie() -> None:
    """Sorted, so that the same fault is always reported in the same words."""
    facts = ResponseFacts(view="v", policy=Policy(name="PLAIN"))
    cases: dict[str, dict[str, Any]] = {
        "it sets the cookie b, a": {"cookies_set": ("b", "a")},
        "it read the query parameter a, b": {"query_read": frozenset({"b", "a"})},
        "it read the request header dnt, origin": {"headers_read": frozenset({"origin", "dnt"})},
    }
    for words, changes in cases.items():
        finding = find_reason_not_to_share(replace(facts, **changes))
        assert finding is not None
        assert words in finding.summary


LEAKY = ResponseFacts(
    view="site.show",
    policy=PUBLIC,
    reason_codes=frozenset({"session-read", "cookie-read"}),
    vary=frozenset({"cookie"}),
    query_read=frozenset({"sort", "page", "q"}),
    query_declared=frozenset({"q"}),
    headers_read=frozenset({"dnt", "if-none-match"}),
)


def test_all_leaks_are_returned_at_once_with_their_places() -> None:
    """Each undeclared parameter and header is one; Flask's Vary for a session is none."""
    leaks = find_leaks(LEAKY, lambda key: f"<{key}>")
    assert [(leak.code, leak.name, leak.place) for leak in leaks] == [
        ("session-read", "", "<session-read>"),
        ("cookie-read", "", "<cookie-read>"),
        ("query-undeclared", "page", "<query page>"),
        ("query-undeclared", "sort", "<query sort>"),
        ("header-undeclared", "dnt", "<header dnt>"),
    ]


def test_vary_on_cookie_without_a_session_is_a_leak() -> None:
    """The view has set it, so that the page differs by cookie."""
    leaks = find_leaks(replace(LEAKY, reason_codes=frozenset()))
    assert "vary-cookie" in {leak.code for leak in leaks}


def test_a_page_that_is_not_shared_has_no_leaks() -> None:
    """It may read anything."""
    assert find_leaks(replace(LEAKY, policy=NO_STORE)) == ()


def test_the_summary_of_several_leaks_is_one_sentence() -> None:
    """A place follows what was read; a leak without a place has its code alone."""
    leaks = find_leaks(
        replace(LEAKY, query_read=frozenset(), headers_read=frozenset()),
        {"session-read": "base.html:2"}.get,  # type: ignore[arg-type]  # None is no place, either
    )
    assert summarise(leaks) == (
        "site.show has the shared policy PUBLIC, but it read the session at base.html:2 "
        "(session-read); it read a request cookie (cookie-read)."
    )


@pytest.mark.parametrize(("facts", "code"), CASES.values(), ids=CASES)
def test_the_first_leak_is_among_all_leaks(facts: dict[str, Any], code: str | None) -> None:
    """So strict mode raises where production withholds a page."""
    response = ResponseFacts(**{"view": "site.show", "policy": PUBLIC, **facts})
    first = find_reason_not_to_share(response)
    if first is not None and first.is_leak:
        assert code in {leak.code for leak in find_leaks(response)}


def test_what_is_read_to_find_the_user_is_not_listed_beside_the_user() -> None:
    """Flask-Login reads session, cookie, headers and address at one line; a parameter is apart."""
    codes = frozenset({"user-read", "session-read", "cookie-read", "client-read", "body-read"})
    facts = replace(LEAKY, reason_codes=codes, query_read=frozenset({"page"}))
    at_one_line = {leak.code for leak in find_leaks(facts, lambda _: "views.py:1")}
    assert at_one_line == {"user-read", "body-read", "query-undeclared"}
    unknown = {leak.code for leak in find_leaks(facts, lambda _: "")}
    assert unknown == at_one_line | {"session-read", "cookie-read", "client-read"} | {
        "header-undeclared"
    }
    apart = {leak.code for leak in find_leaks(facts, lambda key: f"views.py:{key}")}
    assert apart == unknown
