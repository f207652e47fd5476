"""Each check with exchanges built by hand: which probes it sends and which findings it reports."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import brotli
import pytest

from app.edge.audit.check import Check, CheckContext, Probe, Visit
from app.edge.audit.checks import (
    CHECKS,
    cache_hits,
    cache_keys,
    cache_poisoning,
    content_coding,
    cookies,
    headers,
    host_header,
    no_store,
    not_found,
    origin_access,
    purge_access,
    purge_latency,
    reachability,
    stale_responses,
    validators,
)
from app.edge.audit.discovery import AuditedPage
from app.edge.audit.exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from app.edge.audit.findings import AuditFinding
from app.edge.audit.purge_timing import PurgeTiming
from app.edge.audit.site_address import SiteAddress
from app.edge.audit.site_profile import SiteProfile
from app.edge.http.fields import FieldLine, HeaderFields

TEXT = b"<!doctype html><title>A page</title>" + b"<p>Words and words.</p>" * 80
GATED = ("Cache-Status", "broadsheet; hit; ttl=50")
HIT = ("Cache-Status", "edge; hit; ttl=50")
MISS = ("Cache-Status", "edge; fwd=miss; stored")
ALWAYS = (("X-Content-Type-Options", "nosniff"), ("Referrer-Policy", "no-referrer"))
PROFILE = SiteProfile(
    no_store_path="/edge/no-store",
    short_ttl_path="/edge/two-minutes",
    short_ttl_seconds=120,
    cookie_path="/edge/cookie",
    search=("/search", "q"),
    security_headers=ALWAYS,
)
SITE = SiteAddress.parse("https://example.org")


def page(
    *pairs: FieldLine,
    target: str = "/",
    status: int = 200,
    body: bytes = TEXT,
    request_headers: Any = BROWSER_HEADERS,
) -> Exchange:
    """Return an exchange whose response has these header lines."""
    request = ProbeRequest(target=target, headers=request_headers)
    lines = pairs if any(name == "Content-Type" for name, _ in pairs) else (HTML, *pairs)
    return Exchange(request=request, status=status, fields=HeaderFields(lines), body=body)


HTML = ("Content-Type", "text/html; charset=utf-8")


def make_visit(*exchanges: Exchange, kind: str = "home") -> Visit:
    """Return a visit of a page with these exchanges."""
    return Visit(page=AuditedPage(kind=kind, target=exchanges[0].target), exchanges=exchanges)


def make_context(*visits: Visit, **more: Any) -> CheckContext:
    """Return the context of a site with these visits."""
    return CheckContext(address=SITE, token="ab12", visits=visits, **more)


def ids(findings: Iterable[AuditFinding]) -> set[str]:
    """Return the ids of the findings."""
    return {finding.id for finding in findings}


def inspect_ids(
    check: Check, *exchanges: Exchange, context: CheckContext | None = None
) -> set[str]:
    """Return the ids of a check's findings for these exchanges."""
    return ids(check.inspect(context or make_context(make_visit(*exchanges)), exchanges))


def probe_ids(
    check: Check, context: CheckContext, answer: Callable[[ProbeRequest], Exchange]
) -> set[str]:
    """Return the ids of a check's findings if `answer` responds to its probes."""
    finding_ids: set[str] = set()
    for probe in check.probes(context):
        exchanges = [replace(answer(request), request=request) for request in probe.requests]
        finding_ids |= ids(probe.evaluate(exchanges))
    return finding_ids


def probes_of(check: Check, context: CheckContext) -> Sequence[Probe]:
    """Return the probes of a check."""
    return list(check.probes(context))


GOOD = page(HIT, ("Vary", "Accept-Encoding"), ("ETag", '"a"'), *ALWAYS)

NOT_KEPT = {
    "a hit": ((HIT,), set()),
    "stale is kept too": ((("Cache-Status", "edge; hit; ttl=-1"),), set()),
    "no cache tells": ((), {"no-cache"}),
    "no rule": ((("CF-Cache-Status", "DYNAMIC"),), {"not-kept-rule"}),
    "no rule, though the gateway has it": (
        (HIT, ("CF-Cache-Status", "DYNAMIC")),
        {"not-kept-rule"},
    ),
    "a cookie": ((MISS, ("Set-Cookie", "a=1")), {"not-kept-cookie"}),
    "Vary: Cookie": ((MISS, ("Vary", "Accept-Encoding, Cookie")), {"not-kept-vary"}),
    "Vary: *": ((MISS, ("Vary", "*")), {"not-kept-vary"}),
    "variants that the edge can't keep apart": (
        (MISS, ("Vary", "Accept-Encoding, Accept-Language"), ("Cache-Control", "no-store")),
        {"not-kept-variants"},
    ),
    "variants that Cloudflare can't keep apart": (
        (MISS, ("Vary", "Accept"), ("CDN-Cache-Control", "no-store")),
        {"not-kept-variants"},
    ),
    "Vary: Accept-Encoding": ((MISS, ("Vary", "Accept-Encoding")), {"not-kept"}),
    "no-store": ((MISS, ("Cache-Control", "no-store")), {"not-kept-policy"}),
    "private": ((MISS, ("Cache-Control", "private, max-age=60")), {"not-kept-policy"}),
    "one field private": ((MISS, ("Cache-Control", 'private="Set-Cookie"')), {"not-kept"}),
    "bypassed": ((("X-Cache-Status", "BYPASS"),), {"not-kept-pass"}),
    "missed without a reason": ((MISS,), {"not-kept"}),
}


@pytest.mark.parametrize(("pairs", "expected"), NOT_KEPT.values(), ids=list(NOT_KEPT))
def test_why_a_page_is_not_kept(pairs: tuple[FieldLine, ...], expected: set[str]) -> None:
    """As far as its headers tell."""
    assert inspect_ids(cache_hits.CHECK, page(*pairs), page(*pairs)) == expected


def test_a_page_that_fails_is_no_page_that_is_not_kept() -> None:
    """Another check names it."""
    assert inspect_ids(cache_hits.CHECK, page(status=500)) == set()


AT_ANY_TIME = {
    "no-store and a miss": ((MISS, ("Cache-Control", "no-store")), set()),
    "no-store and a hit": ((HIT, ("Cache-Control", "no-store")), {"no-store-stored"}),
    "private and a hit": ((HIT, ("Cache-Control", "private")), {"private-hit"}),
    "private at an inner cache": (
        (HIT, ("CF-Cache-Status", "DYNAMIC"), ("Cache-Control", "private")),
        {"private-hit"},
    ),
    "a private field and a hit": ((HIT, ("Cache-Control", 'private="Set-Cookie"')), set()),
    "must-understand and a hit": (
        (HIT, ("Cache-Control", "must-understand, no-store, max-age=60")),
        set(),
    ),
}


@pytest.mark.parametrize(("pairs", "expected"), AT_ANY_TIME.values(), ids=list(AT_ANY_TIME))
def test_what_must_not_be_a_hit(pairs: tuple[FieldLine, ...], expected: set[str]) -> None:
    """Whichever page it is."""
    assert inspect_ids(no_store.CHECK, page(*pairs)) == expected


NO_STORE = ("Cache-Control", "no-store")
OWN_PAGES = {
    "made anew": (lambda n: page(NO_STORE, MISS, body=b"%d" % n), set()),
    "one making, and no cache tells": (lambda _: page(NO_STORE), {"no-store-stored"}),
    "a hit": (lambda n: page(NO_STORE, HIT, body=b"%d" % n), {"no-store-stored"}),
    "the header was taken off": (lambda n: page(body=b"%d" % n), {"no-store-lost"}),
}


@pytest.mark.parametrize(("make", "expected"), OWN_PAGES.values(), ids=list(OWN_PAGES))
def test_our_page_that_is_never_stored(make: Callable[[int], Exchange], expected: set[str]) -> None:
    """It shows when it was made, so that a copy is known as one."""
    trial = probes_of(no_store.CHECK, make_context(profile=PROFILE))[0]
    assert [ask.target for ask in trial.requests] == ["/edge/no-store"] * 2
    assert ids(trial.evaluate([make(1), make(2)])) == expected


@pytest.mark.parametrize(
    ("pairs", "expected"),
    [
        ((HIT, ("Age", "119")), set()),
        ((MISS,), {"timed-not-kept"}),
        ((HIT, ("Age", "121")), {"kept-too-long"}),
        ((), set()),
    ],
    ids=["in time", "not kept", "too long", "no cache tells"],
)
def test_our_page_that_is_kept_for_two_minutes(
    pairs: tuple[FieldLine, ...], expected: set[str]
) -> None:
    """Two minutes are two minutes."""
    trial = probes_of(no_store.CHECK, make_context(profile=PROFILE))[1]
    assert ids(trial.evaluate([page(MISS), page(*pairs)])) == expected


def test_a_private_page_that_was_found_is_asked_for_twice() -> None:
    """It is judged with all the others."""
    [trial] = probes_of(no_store.CHECK, make_context(private="/login"))
    assert [ask.target for ask in trial.requests] == ["/login"] * 2
    assert not list(trial.evaluate([page(), page()]))


COOKIES = {
    "another for each reader": (("a=1",), ("a=2",), set()),
    "one for two readers": (("a=1",), ("a=1",), {"cookie-stored"}),
    "kept without it": (("a=1",), (), set()),
    "none at all": ((), (), set()),
}


@pytest.mark.parametrize(("one", "other", "expected"), COOKIES.values(), ids=list(COOKIES))
def test_our_page_with_a_cookie(
    one: tuple[str, ...], other: tuple[str, ...], expected: set[str]
) -> None:
    """Its cookie is made for each reader."""
    [trial] = probes_of(cookies.CHECK, make_context(profile=PROFILE))
    exchanges = [page(*(("Set-Cookie", line) for line in lines)) for lines in (one, other)]
    assert ids(trial.evaluate(exchanges)) == expected


def test_a_cookie_on_a_hit_was_stored() -> None:
    """Other than one that the CDN itself makes for each reader."""
    assert inspect_ids(cookies.CHECK, page(HIT, ("Set-Cookie", "a=1"))) == {"cookie-stored"}
    assert inspect_ids(cookies.CHECK, page(HIT, ("Set-Cookie", "__cf_bm=1"))) == set()
    assert inspect_ids(cookies.CHECK, page(MISS, ("Set-Cookie", "a=1"))) == set()


def test_a_reader_with_an_analytics_cookie_gets_the_copy_too() -> None:
    """Asked only where there is a copy."""
    context = make_context(make_visit(GOOD))
    assert probe_ids(cookies.CHECK, context, lambda _: page(HIT)) == set()
    assert probe_ids(cookies.CHECK, context, lambda _: page(MISS)) == {"cookie-splits"}
    assert probes_of(cookies.CHECK, make_context(make_visit(page(MISS)))) == []


def test_what_splits_the_cache() -> None:
    """A made-up parameter, a tracker, an odd Accept-Encoding; a redirect splits nothing."""
    context = make_context(make_visit(GOOD))
    everything = {"query-splits", "tracker-splits", "encoding-splits"}
    assert probe_ids(cache_keys.CHECK, context, lambda _: page(HIT)) == set()
    assert probe_ids(cache_keys.CHECK, context, lambda _: page(MISS)) == everything
    assert probe_ids(cache_keys.CHECK, context, lambda _: page(MISS, status=301)) == set()


def test_two_searches_have_two_answers() -> None:
    """One answer is wrong only if a cache gave it."""
    context = make_context(search=("/search", "q"))
    assert (
        probe_ids(cache_keys.CHECK, context, lambda a: page(HIT, body=a.target.encode())) == set()
    )
    assert probe_ids(cache_keys.CHECK, context, lambda _: page(HIT)) == {"query-ignored"}
    assert probe_ids(cache_keys.CHECK, context, lambda _: page(MISS)) == set()


TAGGED = page(HIT, ("ETag", '"a"'), ("Cache-Control", "max-age=0"), ("Last-Modified", "x"))


def conditional(ask: ProbeRequest, *, full: Sequence[str] = (), lacking: bool = False) -> Exchange:
    """What a good cache answers, but the whole page where a condition is in `full`."""
    headers = dict(ask.headers)
    condition = headers.get("If-None-Match", headers.get("If-Modified-Since", ""))
    if condition == '"edge-check"' or condition in full:
        return TAGGED
    pairs = () if lacking else (("ETag", '"a"'), ("Cache-Control", "max-age=0"))
    return page(HIT, *pairs, status=304, body=b"")


VALIDATORS = {
    "right": (conditional, set()),
    "never a 304": (lambda _: TAGGED, {"etag-ignored", "etag-list-ignored"}),
    "weak tags ignored": (lambda ask: conditional(ask, full=['W/"a"']), {"etag-ignored"}),
    "lists ignored": (
        lambda ask: conditional(ask, full=['"edge-check", "a"']),
        {"etag-list-ignored"},
    ),
    "dates ignored": (lambda ask: conditional(ask, full=["x"]), {"etag-ignored"}),
    "always a 304": (
        lambda _: page(("ETag", '"a"'), ("Cache-Control", "max-age=0"), status=304),
        {"etag-always-matches"},
    ),
    "fields left out": (lambda ask: conditional(ask, lacking=True), {"not-modified-incomplete"}),
}


@pytest.mark.parametrize(("answer", "expected"), VALIDATORS.values(), ids=list(VALIDATORS))
def test_whether_a_browser_hears_304(
    answer: Callable[[ProbeRequest], Exchange], expected: set[str]
) -> None:
    """Where it has the page, and only there."""
    assert probe_ids(validators.CHECK, make_context(make_visit(TAGGED)), answer) == expected


def test_a_tag_depends_on_the_bytes() -> None:
    """And it is there."""
    assert inspect_ids(validators.CHECK, page(("ETag", '"a"')), page(("ETag", '"b"'))) == {
        "etag-unsteady"
    }
    assert inspect_ids(validators.CHECK, page(("ETag", '"a"')), page(("ETag", '"a"'))) == set()
    other = page(("ETag", '"b"'), body=b"other")
    assert inspect_ids(validators.CHECK, page(("ETag", '"a"')), other) == set()
    assert inspect_ids(validators.CHECK, page()) == {"etag-missing"}


PACK = {"br": brotli.compress, "gzip": gzip.compress}
VARY = ("Vary", "Accept-Encoding")


def packed(coding: str, *pairs: FieldLine, content: bytes = TEXT, **more: Any) -> Exchange:
    """A page in a coding, with a tag of its own."""
    lines = (HIT, VARY, ("Content-Encoding", coding), ("ETag", f'"a;{coding}"'), *pairs)
    return page(*lines, body=PACK[coding](content), **more)


def negotiated(ask: ProbeRequest) -> Exchange:
    """What a good cache answers."""
    accept_encoding = dict(ask.headers).get("Accept-Encoding", "")
    if accept_encoding.startswith("br") and "q=0" not in accept_encoding:
        return packed("br")
    return (
        packed("gzip") if "gzip" in accept_encoding and "gzip;q=0" not in accept_encoding else GOOD
    )


def only(coding: str, **more: Any) -> Callable[[ProbeRequest], Exchange]:
    """A cache that gives everyone the same copy."""
    return lambda _: packed(coding, **more)


CODINGS = {
    "right": (negotiated, set()),
    "one copy for all": (only("br"), {"coding-not-asked"}),
    "another text": (
        lambda ask: (
            packed("br", content=b"old")
            if ask.headers == (("Accept-Encoding", "br"),)
            else negotiated(ask)
        ),
        {"coding-differs"},
    ),
    "one strong tag": (
        lambda ask: replace(
            negotiated(ask),
            fields=HeaderFields([HIT, VARY, ("ETag", '"a"'), *_coding(negotiated(ask))]),
        ),
        {"etag-shared"},
    ),
    "one weak tag": (
        lambda ask: replace(
            negotiated(ask),
            fields=HeaderFields([HIT, VARY, ("ETag", 'W/"a"'), *_coding(negotiated(ask))]),
        ),
        set(),
    ),
}


def _coding(exchange: Exchange) -> list[FieldLine]:
    return [("Content-Encoding", exchange.content_coding)] if exchange.content_coding else []


@pytest.mark.parametrize(("answer", "expected"), CODINGS.values(), ids=list(CODINGS))
def test_whether_each_reader_gets_a_coding_that_was_asked_for(
    answer: Callable[[ProbeRequest], Exchange], expected: set[str]
) -> None:
    """With the same content, and a tag of its own."""
    assert probe_ids(content_coding.CHECK, make_context(make_visit(GOOD)), answer) == expected


BODIES = {
    "packed": (packed("br"), set()),
    "plain": (page(VARY), {"not-compressed"}),
    "plain and small": (page(body=b"small"), set()),
    "a picture": (page(("Content-Type", "image/webp"), body=b"\0" * 5000), set()),
    "labelled as another": (
        page(VARY, ("Content-Encoding", "gzip"), body=PACK["br"](TEXT)),
        {"coding-broken"},
    ),
    "not labelled": (page(VARY, body=PACK["gzip"](TEXT)), {"coding-broken"}),
    "no Vary": (
        page(("Content-Encoding", "gzip"), body=PACK["gzip"](TEXT)),
        {"vary-missing"},
    ),
}


@pytest.mark.parametrize(("exchange", "expected"), BODIES.values(), ids=list(BODIES))
def test_whether_a_body_is_what_its_headers_say(exchange: Exchange, expected: set[str]) -> None:
    """And whether it could be smaller."""
    assert inspect_ids(content_coding.CHECK, exchange) == expected


def control(header_value: str, *more: FieldLine) -> Exchange:
    """A page of ours with this Cache-Control."""
    return page(HIT, ("Cache-Control", header_value), *ALWAYS, *more)


HEADERS = {
    "intact": (control("max-age=0, must-revalidate"), set()),
    "one is lost": (page(HIT, ALWAYS[0]), {"security-lost"}),
    "one is changed": (page(HIT, ALWAYS[0], ("Referrer-Policy", "no")), {"security-changed"}),
    "the browser's time is rewritten": (control("max-age=14400"), {"browser-keeps"}),
    "stale for browsers": (control("max-age=0, stale-while-revalidate=9"), {"browser-stale"}),
    "stale and s-maxage": (
        control("max-age=0, s-maxage=60, stale-if-error=9"),
        {"browser-stale", "stale-switched-off"},
    ),
    "a tag is shown": (control("max-age=0", ("Cache-Tag", "p-1")), {"edge-field-shown"}),
    "for the next CDN": (control("max-age=0", ("CDN-Cache-Control", "max-age=60")), set()),
}


@pytest.mark.parametrize(("exchange", "expected"), HEADERS.values(), ids=list(HEADERS))
def test_what_reaches_the_browser(exchange: Exchange, expected: set[str]) -> None:
    """Of a site of ours."""
    context = make_context(make_visit(exchange), profile=PROFILE)
    assert inspect_ids(headers.CHECK, exchange, context=context) == expected


def test_another_site_is_only_told_of_what_it_might_send() -> None:
    """It has promised nothing."""
    context = make_context(make_visit(page(*ALWAYS)))
    assert ids(headers.CHECK.inspect(context, ())) == {"security-absent"}


AGES = {
    "fresh": ((HIT, ("Age", "50"), ("Cache-Control", "max-age=60")), set()),
    "too old": ((HIT, ("Age", "61"), ("Cache-Control", "max-age=60")), {"older-than-allowed"}),
    "s-maxage counts": (
        (HIT, ("Age", "61"), ("Cache-Control", "max-age=60, s-maxage=99")),
        set(),
    ),
    "the edge's time is not shown": ((HIT, ("Age", "61"), ("Cache-Control", "max-age=0")), set()),
    "stale again": ((("Cache-Status", "edge; hit; ttl=-9"),), {"stale-again"}),
}


@pytest.mark.parametrize(("pairs", "expected"), AGES.values(), ids=list(AGES))
def test_whether_what_is_old_is_served(pairs: tuple[FieldLine, ...], expected: set[str]) -> None:
    """Twice in a row."""
    assert inspect_ids(stale_responses.CHECK, page(*pairs), page(*pairs)) == expected


MISSING = {
    "a 404 for a minute": (page(HIT, status=404), set()),
    "a 404 for a day, as the cache says": (
        page(("Cache-Status", "edge; hit; ttl=86399"), status=404),
        {"missing-kept-long"},
    ),
    "a 404 for a day, as the origin says": (
        page(("Cache-Control", "max-age=0, s-maxage=86400"), status=404),
        {"missing-kept-long"},
    ),
    "a 404 for a day, as Expires says": (
        page(
            ("Date", "Mon, 02 Nov 2026 10:00:00 GMT"),
            ("Expires", "Tue, 03 Nov 2026 10:00:00 GMT"),
            status=404,
        ),
        {"missing-kept-long"},
    ),
    "a 404 of yesterday": (page(("Age", "80000"), status=404), {"missing-kept-long"}),
    "no-store, whatever else": (
        page(("Cache-Control", "no-store, max-age=86400"), status=404),
        set(),
    ),
    "a page": (page(), {"missing-is-200"}),
}


@pytest.mark.parametrize(("exchange", "expected"), MISSING.values(), ids=list(MISSING))
def test_what_an_address_that_names_nothing_gets(exchange: Exchange, expected: set[str]) -> None:
    """A 404 that is soon forgotten."""
    assert probe_ids(not_found.CHECK, make_context(), lambda _: exchange) == expected


FOREIGN: dict[str, tuple[Exchange, set[str]]] = {
    "served, a copy of its own": (page(MISS), {"host-unchecked"}),
    "served, the same copy": (page(HIT), {"host-unchecked"}),
    "served by the gateway alone": (page(GATED), {"host-ignored"}),
    "misdirected": (page(status=421), set()),
    "refused": (page(status=400), set()),
    "sent away": (page(status=301), set()),
}


@pytest.mark.parametrize(("foreign", "expected"), FOREIGN.values(), ids=list(FOREIGN))
def test_a_foreign_name_makes_no_copy(foreign: Exchange, expected: set[str]) -> None:
    """Any kind of refusal is right."""

    def answer(ask: ProbeRequest) -> Exchange:
        return page(HIT) if dict(ask.headers)["Host"] == "EXAMPLE.ORG" else foreign

    assert probe_ids(host_header.CHECK, make_context(make_visit(GOOD)), answer) == expected


def test_a_name_in_capitals_is_the_same_name() -> None:
    """So it is a HIT."""
    finding_ids = probe_ids(
        host_header.CHECK, make_context(make_visit(GOOD)), lambda _: page(MISS, status=400)
    )
    assert finding_ids == {"host-case-splits"}


def canonical(url: str) -> Exchange:
    """A front page that names this as its address."""
    return page(HIT, body=f"<link href='{url}' rel='canonical'>".encode())


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1:8000/", {"site-url-missing"}),
        ("http://localhost/", {"site-url-missing"}),
        ("http://[::1]:5000/", {"site-url-missing"}),
        ("https://example.org/", set()),
        ("/", set()),
        ("http://[x/", set()),
    ],
)
def test_a_public_site_does_not_call_itself_a_loopback_address(
    url: str, expected: set[str]
) -> None:
    """Search engines would follow it nowhere."""
    assert inspect_ids(host_header.CHECK, canonical(url)) == expected


def test_an_app_that_knows_that_its_address_is_missing_is_believed() -> None:
    """Also where the audit asks the machine itself."""
    profile = replace(PROFILE, site_url_problem="SITE_URL is not set.")
    assert inspect_ids(
        host_header.CHECK, GOOD, context=make_context(make_visit(GOOD), profile=profile)
    ) == {"site-url-missing"}


def trusting_site(believed: str, *, stored: bool) -> Callable[[ProbeRequest], Exchange]:
    """A site that writes a header's value into the page, and stores that page if `stored`."""
    stored_bodies: dict[str, bytes] = {}

    def answer(ask: ProbeRequest) -> Exchange:
        value = dict(ask.headers).get(believed, "")
        body = f"<a href='//{value}/'>".encode() if value else b"plain"
        if value and stored:
            stored_bodies[ask.target] = body
        return page(body=stored_bodies.get(ask.target, body))

    return answer


@pytest.mark.parametrize(
    "name", ["X-Forwarded-Host", "X_Forwarded_Host", "X-Original-URL", "SCRIPT_NAME", "Host"]
)
def test_a_header_that_the_next_reader_suffers_from(name: str) -> None:
    """Each is tried on an address of its own."""
    assert probe_ids(cache_poisoning.CHECK, make_context(), trusting_site(name, stored=True)) == {
        "poisoned"
    }
    assert probe_ids(cache_poisoning.CHECK, make_context(), trusting_site(name, stored=False)) == {
        "header-believed"
    }


def test_a_header_that_breaks_the_page_for_the_next_reader() -> None:
    """Too large for the origin, but not for the edge, which keeps the refusal."""

    def answer(ask: ProbeRequest) -> Exchange:
        return page(status=400 if "oversized" in ask.target else 200)

    assert probe_ids(cache_poisoning.CHECK, make_context(), answer) == {"poisoned"}


def test_a_refusal_harms_nobody() -> None:
    """As long as it is the refused one's alone."""

    def answer(ask: ProbeRequest) -> Exchange:
        return page(status=200 if ask.headers == BROWSER_HEADERS else 400)

    assert probe_ids(cache_poisoning.CHECK, make_context(), answer) == set()


def test_nothing_is_tried_on_a_page_that_readers_have() -> None:
    """Every URL of a trial that could do harm is made up."""
    context = make_context(make_visit(GOOD), search=("/search", "q"))
    for check in (cache_poisoning.CHECK, purge_access.CHECK):
        targets = {ask.target for trial in check.probes(context) for ask in trial.requests}
        assert targets
        assert all("edge-check-ab12" in target for target in targets)


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (200, b"Purged", {"purge-open"}),
        (204, b"", {"purge-open"}),
        (403, b"No", set()),
        (405, b"No", set()),
        (501, b"No", set()),
    ],
    ids=["purged", "purged without a word", "forbidden", "no such method", "not implemented"],
)
def test_who_may_purge(status: int, body: bytes, expected: set[str]) -> None:
    """A purge without the secret must be refused."""

    def answer(ask: ProbeRequest) -> Exchange:
        if ask.method == "GET":
            return page(status=404)
        return page(status=status, body=body)

    assert probe_ids(purge_access.CHECK, make_context(), answer) == expected


def test_a_server_that_knows_no_methods_purges_nothing() -> None:
    """It sends the page, as for any other word."""
    assert probe_ids(purge_access.CHECK, make_context(), lambda _: page()) == set()


def test_the_origin_is_asked_only_when_it_was_named() -> None:
    """By the site's name and by its own, and it should refuse both."""
    assert probes_of(origin_access.CHECK, make_context()) == []
    context = make_context(origin=SiteAddress.parse("http://127.0.0.1:9000"))
    asks = [ask for trial in probes_of(origin_access.CHECK, context) for ask in trial.requests]
    assert [dict(ask.headers)["Host"] for ask in asks] == ["example.org", "127.0.0.1:9000"]
    assert all(ask.to_origin for ask in asks)
    assert probe_ids(origin_access.CHECK, context, lambda _: page()) == {"origin-open"}
    assert probe_ids(origin_access.CHECK, context, lambda _: page(status=403)) == set()


def test_what_could_not_be_seen() -> None:
    """A page that fails, a body without an end, the machine itself."""
    assert inspect_ids(reachability.CHECK, page(HIT)) == set()
    assert inspect_ids(reachability.CHECK, page(status=500)) == {"page-fails"}
    assert inspect_ids(reachability.CHECK, replace(page(), is_truncated=True)) == {"body-cut"}
    here = CheckContext(address=SiteAddress.parse("http://localhost:8000"), token="ab12")
    assert ids(reachability.CHECK.inspect(here, ())) == {"loopback"}
    plain = CheckContext(address=SiteAddress.parse("http://example.org"), token="ab12")
    assert ids(reachability.CHECK.inspect(plain, ())) == {"plain-http"}


@pytest.mark.parametrize(
    ("measured", "expected"),
    [
        (PurgeTiming(target="/a", seconds=0.1), set()),
        (PurgeTiming(target="/a", seconds=6.0), {"purge-late"}),
        (PurgeTiming(target="/a", waited=30.0), {"purge-lost"}),
        (PurgeTiming(target="/a", was_cached=False), {"purge-unmeasured"}),
    ],
    ids=["soon", "late", "never", "not kept"],
)
def test_how_long_a_purge_takes(measured: PurgeTiming, expected: set[str]) -> None:
    """From commit to fresh."""
    assert ids(purge_latency.judge(measured)) == expected


def test_a_site_that_does_everything_right_has_no_finding() -> None:
    """No check that only looks on has anything to say."""
    good = packed("br", *ALWAYS, ("Cache-Control", "max-age=0, must-revalidate"))
    context = make_context(make_visit(good, good), profile=PROFILE)
    assert {name for check in CHECKS for name in ids(check.inspect(context, [good, good]))} == set()
