"""Properties for any input: parsers never raise, and the pure functions keep their invariants."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.http import (
    cache_key,
    codings,
    connection,
    dates,
    freshness,
    header_update,
    ranges,
    reuse,
    storing,
    structured_fields,
    targeted,
    validators,
    vary,
)
from app.edge.http.cache_status import CacheStatus, ForwardReason
from app.edge.http.fields import HeaderFields

NOW = 784111777.0
TARGETS = ("broadsheet-cache-control", "cdn-cache-control")
soup = st.text(st.characters(max_codepoint=255), max_size=80) | st.text(
    st.sampled_from('",;=\\ \tW/()*?:@-0129abq.'), max_size=80
)
NAMES = (
    "age",
    "cache-control",
    "cdn-cache-control",
    "connection",
    "content-length",
    "date",
    "etag",
    "expires",
    "last-modified",
    "pragma",
    "set-cookie",
    "vary",
)
heads = st.lists(st.tuples(st.sampled_from(NAMES), soup), max_size=12)


@given(heads, st.integers(200, 599), st.booleans())
def test_no_header_soup_raises(head: list[tuple[str, str]], status: int, authorized: bool) -> None:
    """Any response header has a decision, a lifetime and a non-negative age."""
    fields = HeaderFields(head)
    obeyed = targeted.effective_directives(fields, TARGETS)
    lifetime = freshness.explicit_lifetime(fields, obeyed, received_at=NOW)
    guessed = freshness.heuristic_lifetime(fields, received_at=NOW, fraction=0.1)
    candidate = storing.StorageCandidate(
        status=status,
        fields=fields,
        effective=obeyed,
        lifetime=lifetime,
        has_credentials=authorized,
    )
    assert storing.decide_storage(candidate).reason
    assert lifetime.seconds >= 0
    assert guessed.seconds >= 0
    assert freshness.corrected_initial_age(fields, requested_at=NOW - 1, received_at=NOW) >= 1
    assert candidate.excluded_fields >= connection.HOP_BY_HOP
    validators.matches_stored(fields, HeaderFields(reversed(head)))


@given(soup)
def test_no_request_soup_raises(text: str) -> None:
    """Any request header can be parsed."""
    validators.evaluate_if_none_match(text, '"a"')
    validators.evaluate_if_modified_since(text, 0, now=NOW)
    validators.evaluate_if_range(text, HeaderFields([]), None, now=NOW)
    assert codings.choose_coding(text, ("br", "gzip", "identity")) in {"br", "gzip", "identity"}
    reuse.parse_request_directives([text], text, {"no-cache", "max-age"})
    assert vary.normalise_value("accept-encoding", text) is not None
    structured_fields.parse_dictionary([text])
    dates.parse_http_date(text, now=NOW)
    with contextlib.suppress(ranges.RangeNotSatisfiableError):
        parts = sorted((part.start, part.stop) for part in ranges.select_ranges(text, 100))
        assert len(parts) <= ranges.MAX_RANGES
        edges = [edge for part in parts for edge in part]
        assert edges == sorted(set(edges)), "Parts are not empty and don't touch."


class Kept:
    """The freshness data of a stored response."""

    def __init__(self, lifetime: float, swr: float, *, strict: bool, validates: bool) -> None:
        self.lifetime = lifetime
        self.stale_while_revalidate = swr
        self.stale_if_error = swr
        self.forbids_stale = strict
        self.requires_validation = validates


spans = st.floats(0, 1e6)
asks = st.sampled_from(["", "max-age=5", "max-stale", "max-stale=9", "min-fresh=9", "no-cache"])


@given(spans, spans, spans, spans, st.booleans(), st.booleans(), asks)
def test_freshness_is_monotone_in_time(  # noqa: PLR0917 - the axes of the property
    lifetime: float,
    swr: float,
    age: float,
    later: float,
    strict: bool,
    validates: bool,
    cache_control: str,
) -> None:
    """A response that is unusable at one age is unusable at a greater age."""
    order = [
        reuse.ReuseDecision.FRESH,
        reuse.ReuseDecision.MAX_STALE,
        reuse.ReuseDecision.STALE_WHILE_REVALIDATE,
    ]
    stored = Kept(lifetime, swr, strict=strict, validates=validates)
    wishes = reuse.parse_request_directives(
        [cache_control], None, {"max-age", "max-stale", "min-fresh", "no-cache"}
    )
    now = reuse.decide_reuse(stored, age=age, request_directives=wishes)
    then = reuse.decide_reuse(stored, age=age + later, request_directives=wishes)
    if then in order:
        assert now in order
    if then is reuse.ReuseDecision.FRESH:
        assert now is reuse.ReuseDecision.FRESH
    if not reuse.may_replace_error(stored, age=age, request_directives=wishes):
        assert not reuse.may_replace_error(stored, age=age + later, request_directives=wishes)


paths = st.text(st.characters(max_codepoint=255), max_size=12).map(lambda text: "/" + text)
pieces = st.text(st.sampled_from("/?&=:%20 #aA"), max_size=8)
sites = st.sampled_from(["http://a", "https://a", "http://a:1", "http://aa"])
addresses = st.tuples(sites, paths | pieces.map(lambda text: "/" + text), pieces)


@given(addresses, addresses)
def test_the_key_is_injective(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Two keys are equal exactly when site, path and query are."""
    assert (cache_key.build_cache_key(*one) == cache_key.build_cache_key(*other)) == (one == other)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (b"2 https://example.org/a?b=1", "https://example.org/a?b=1"),
        (b"1 https://example.org/?", "https://example.org/"),
        (b"\xffforeign", "b'\\xffforeign'"),
    ],
)
def test_a_key_is_logged_as_its_url(key: bytes, text: str) -> None:
    """A key in another form is logged as it is."""
    assert cache_key.describe_cache_key(key) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("http://a", "/b?c", ""), ("http://a", "/b", "c?")),
        (("http://a", "/b?", "c"), ("http://a", "/b", "?c")),
        (("http://a", "/%2F", ""), ("http://a", "//", "")),
        (("http://a", "/B", ""), ("http://a", "/b", "")),
        (("http://a", "/b", "A"), ("http://a", "/b", "a")),
        (("http://a", "/b/", ""), ("http://a", "/b", "")),
        (("http://a:1", "/", ""), ("http://a", "/", "")),
    ],
)
def test_pages_that_look_alike_have_keys_of_their_own(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    """Delimiters, case and encodings in the parts never make two keys equal."""
    assert cache_key.build_cache_key(*one) != cache_key.build_cache_key(*other)


@pytest.mark.parametrize(
    ("scheme", "authority", "expected"),
    [
        ("http", "Example.ORG", "http://example.org"),
        ("http", "example.org:80", "http://example.org"),
        ("https", "example.org:443", "https://example.org"),
        ("https", "example.org:80", "https://example.org:80"),
        ("http", "example.org:", "http://example.org"),
        ("HTTP", "[::1]:8000", "http://[::1]:8000"),
        ("http", "", None),
        ("http", "a b", None),
        ("http", "a/b", None),
        ("http", "u@a", None),
        ("http", "a:b", None),
        ("http", "a\n", None),
        ("http", "a" * 400, None),
        ("ftp", "a", None),
    ],
)
def test_a_site_has_one_spelling(scheme: str, authority: str, expected: str | None) -> None:
    """RFC 9110 section 4.2.3: case and the default port are insignificant."""
    assert cache_key.normalise_site(scheme, authority) == expected


@given(st.integers(0, 253402300799))
def test_dates_round_trip(instant: int) -> None:
    """Every time with a four-digit year is parsed back unchanged."""
    assert dates.parse_http_date(dates.format_http_date(instant), now=NOW) == instant


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("Sun, 06 Nov 1994 08:49:37 GMT", NOW),
        ("Sunday, 06-Nov-94 08:49:37 GMT", NOW),
        ("Sun Nov  6 08:49:37 1994", NOW),
        ("sun, 06 nov 1994 08:49:37 gmt", NOW),
        ("Thursday, 01-Jan-70 00:00:00 GMT", 0),
        ("Saturday, 31-Dec-44 23:59:60 GMT", 2366841599),
        ("Sunday, 01-Jan-45 00:00:00 GMT", -788918400),
        ("Sun, 06 Nov 1994 08:49:37 UTC", None),
        ("Sun, 06 Nov 1994 24:00:00 GMT", None),
        ("Sun, 06 Nov 0000 08:49:37 GMT", None),
        ("1994-11-06T08:49:37Z", None),
        ("784111777", None),
        ("", None),
        (None, None),
    ],
)
def test_dates_have_three_forms(text: str | None, instant: float | None) -> None:
    """RFC 9110 section 5.6.7, with two-digit years at most 50 years ahead of now."""
    assert dates.parse_http_date(text, now=NOW) == instant


@given(heads, heads)
def test_an_update_replaces_and_keeps(
    stored: list[tuple[str, str]], newer: list[tuple[str, str]]
) -> None:
    """RFC 9111 section 3.2: received fields replace stored ones, all others stay."""
    merged = HeaderFields(header_update.update_stored_fields(stored, newer, {"set-cookie"}))
    old, new = HeaderFields(stored), HeaderFields(newer)
    for name in NAMES:
        came = name in new and name not in {"set-cookie", "content-length"}
        assert merged.lines(name) == (new if came else old).lines(name)


texts = st.text(st.characters(max_codepoint=255), max_size=20)


@given(
    st.sampled_from(ForwardReason) | st.none(),
    st.integers(100, 999) | st.none(),
    st.floats(-1e9, 1e9) | st.none(),
    texts | st.none(),
    texts,
)
def test_cache_status_is_always_a_structured_field(
    fwd: ForwardReason | None, status: int | None, ttl: float | None, text: str | None, name: str
) -> None:
    """RFC 9211 section 2: the member can be parsed with any reason."""
    member = CacheStatus(fwd=fwd, fwd_status=status, ttl=ttl, key=text, detail=text)
    assert structured_fields.parse_dictionary([f"a={member.to_field_value(name)}"]) is not None


def test_cache_status_is_a_hit_or_forwarded() -> None:
    """RFC 9211 section 2.2: hit and fwd exclude each other."""
    with pytest.raises(ValueError, match="either a hit or forwarded"):
        CacheStatus(hit=True, fwd=ForwardReason.MISS)


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", {}),
        ("a", {"a": True}),
        ("a=1, b=?0;x, c=tok", {"a": 1, "b": False, "c": "tok"}),
        ('a="x\\"y"', {"a": 'x"y'}),
        ("a=(1 2);x=3", {"a": (1, 2)}),
        ("a=1.5,b=-7", {"a": 1.5, "b": -7}),
        ("a=:AAE=:", {"a": b"AAE="}),
        ("a=1, a=2", {"a": 2}),
        ("A=1", None),
        ("a=", None),
        ("a,", None),
        ("a=1 b=2", None),
        ('a="x', None),
        ("a=1.", None),
        ("a=1111111111111111", None),
        ("a=(1", None),
        ("a=(1,2)", None),
        ("a=\xe9", None),
    ],
)
def test_a_dictionary_is_well_formed_or_nothing(text: str, members: object) -> None:
    """RFC 8941 section 4.2: one error invalidates the field."""
    assert structured_fields.parse_dictionary([text]) == members
