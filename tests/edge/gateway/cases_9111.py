"""RFC 9111, section by section, as far as it applies to a shared cache."""

from __future__ import annotations

from app.edge.gateway.options import Options
from app.edge.http import dates
from tests.edge.gateway.scripted_origin import START, Case, Fields, case, get, pairs, says

HOUR = 3600
LATER = dates.format_http_date(START + HOUR)
EARLIER = dates.format_http_date(START - HOUR)
LONG: Fields = {"cache_control": "max-age=3600"}
SHORT: Fields = {"cache_control": "max-age=10"}
FRESH = says(b"old", etag='"a"', **LONG)
STALE = says(b"old", etag='"a"', **SHORT)
NEW = says(b"new", etag='"b"', **LONG)
AUTH = {"Authorization": "Basic YTpi"}


def keeps(
    name: str, *answers: str, status: int = 200, date: float | None = 0, **headers: str
) -> Case:
    """Return a case in which a response with this Cache-Control is reused."""
    also = [*pairs(headers), *(("Cache-Control", line) for line in answers)]
    response = says(b"old", status=status, date=date, also=also)
    return case(
        name,
        get(response, status=status, cache="fwd=uri-miss; stored"),
        get(at=5, status=status, body=b"" if status in {204, 304} else b"old", cache="hit"),
    )


def refuses(name: str, *lines: str, why: str, status: int = 200, **headers: str) -> Case:
    """Return a case in which a response with this Cache-Control is not stored, and why."""
    also = [*pairs(headers), *(("Cache-Control", line) for line in lines)]
    response = says(b"old", status=status, also=also)
    return case(
        name,
        get(response, status=status, cache=f"fwd=uri-miss; detail={why}", stored=False),
        get(NEW, at=5, body=b"new", cache="fwd=uri-miss"),
    )


STORING = [
    keeps("9111-3-explicit-max-age", "max-age=60"),
    keeps("9111-3-s-maxage", "s-maxage=60"),
    keeps("9111-3-expires", expires=LATER),
    keeps("9111-3-expires-without-date", expires=LATER, date=None),
    *(
        keeps(f"9111-3-explicit-freshness-keeps-status-{status}", "max-age=60", status=status)
        for status in (203, 204, 299, 301, 302, 303, 307, 308, 400, 403, 404, 405, 410, 414)
    ),
    *(
        keeps(f"9111-3-explicit-freshness-keeps-status-{status}", "max-age=60", status=status)
        for status in (418, 451, 499, 500, 501, 502, 503, 504, 599)
    ),
    refuses("9111-3-no-store", "no-store, max-age=60", why="no-store"),
    refuses("9111-3-no-store-on-a-second-line", "max-age=60", "No-Store", why="no-store"),
    refuses("9111-3-private", "private, max-age=60", why="private"),
    refuses("9111-3-nothing-said", why="no-freshness"),
    refuses("9111-3-public-alone-gives-no-lifetime", "public", why="no-freshness"),
    refuses("9111-3-302-needs-explicit-freshness", status=302, why="not-cacheable", etag='"a"'),
    refuses("9111-3.3-a-part-is-never-kept", "max-age=60", status=206, why="status"),
    refuses("9111-3-a-304-is-never-kept", "max-age=60", status=304, why="status"),
    refuses(
        "9111-7.3-set-cookie-is-never-shared", "max-age=60", why="set-cookie", set_cookie="a=1"
    ),
    case(
        "9111-7.3-set-cookie-is-kept-when-someone-insists",
        get(says(set_cookie="a=1", **LONG), stored=True),
        get(at=5, cache="hit", response_headers={"Set-Cookie": "a=1"}),
        options=Options(store_cookies=True),
    ),
    case("9111-3-a-post-is-not-kept", get(FRESH, method="POST"), get(FRESH, cache="fwd=uri-miss")),
    case(
        "9111-3-a-head-is-not-kept-for-a-get",
        get(FRESH, method="HEAD", cache="fwd=uri-miss"),
        get(FRESH, body=b"old", cache="fwd=uri-miss"),
    ),
    case(
        "9111-3-all-fields-are-kept-unknown-ones-too",
        get(says(x_strange="yes", also=[("Link", "<a>"), ("Link", "<b>")], **LONG)),
        get(response_headers={"X-Strange": "yes", "Link": "<a>, <b>"}, cache="hit"),
    ),
    case(
        "9111-3.1-fields-named-by-private-are-not-kept",
        get(
            says(
                cache_control='max-age=60, private="X-Me, Set-Cookie"', x_me="a", set_cookie="b=1"
            ),
            response_headers={"X-Me": "a", "Set-Cookie": "b=1"},
            stored=True,
        ),
        get(response_headers={"X-Me": None, "Set-Cookie": None}, cache="hit"),
    ),
    case(
        "9111-3.1-fields-named-by-no-cache-are-not-reused",
        get(
            says(cache_control='max-age=60, no-cache="X-Me"', x_me="a"),
            response_headers={"X-Me": "a"},
        ),
        get(response_headers={"X-Me": None}, cache="hit"),
    ),
    case(
        "9111-3.1-proxy-fields-are-not-kept",
        get(says(proxy_authentication_info="a", **LONG)),
        get(response_headers={"Proxy-Authentication-Info": None}, cache="hit"),
    ),
    case(
        "9111-3.5-an-authorized-answer-is-not-shared",
        get(FRESH, headers=AUTH, cache="fwd=uri-miss; detail=authorization"),
        get(FRESH, cache="fwd=uri-miss"),
    ),
    *(
        case(
            f"9111-3.5-an-authorized-answer-with-{directive.partition('=')[0]}-is-shared",
            get(says(b"old", cache_control=f"max-age=60, {directive}"), headers=AUTH, stored=True),
            get(at=5, body=b"old", cache="hit"),
        )
        for directive in ("public", "must-revalidate", "s-maxage=60")
    ),
    case(
        "9111-3.5-an-anonymous-answer-serves-authorized-readers",
        get(FRESH),
        get(headers=AUTH, cache="hit"),
    ),
    case(
        "9111-3.3-an-incomplete-response-is-not-kept",
        get(says(b"half", length=9, **LONG), cache="fwd=uri-miss; detail=incomplete"),
        get(NEW, body=b"new", cache="fwd=uri-miss"),
    ),
]

KEYS = [
    case("9111-2-the-path-is-in-the-key", get(FRESH, target="/a"), get(NEW, target="/b")),
    case("9111-2-the-query-is-in-the-key", get(FRESH, target="/?a"), get(NEW, target="/?b")),
    case("9111-2-the-path-has-case", get(FRESH, target="/a"), get(NEW, target="/A")),
    case(
        "9111-2-the-host-is-in-the-key",
        get(FRESH),
        get(NEW, headers={"Host": "other.example"}, body=b"new"),
    ),
    case(
        "9111-2-the-host-has-no-case-and-a-default-port",
        get(FRESH),
        get(headers={"Host": "EXAMPLE.org:80"}, cache="hit"),
        get(headers={"Host": "example.org:"}, cache="hit"),
    ),
]

FRESHNESS = [
    case("9111-4.2-fresh-until-the-lifetime-is-over", get(STALE), get(at=9, cache="hit; ttl=1")),
    case("9111-4.2-stale-at-the-lifetime", get(STALE), get(NEW, at=10, cache="fwd=stale")),
    case(
        "9111-4.2.1-s-maxage-before-max-age",
        get(says(cache_control="max-age=3600, s-maxage=10")),
        get(NEW, at=10, cache="fwd=stale"),
    ),
    case(
        "9111-4.2.1-max-age-before-expires",
        get(says(b"old", cache_control="max-age=3600", expires=EARLIER)),
        get(at=5, cache="hit"),
    ),
    case(
        "9111-4.2.1-max-age-zero-before-expires",
        get(says(cache_control="max-age=0", expires=LATER)),
        get(NEW, body=b"new"),
    ),
    case(
        "9111-5.3-expires-counts-from-date",
        get(says(expires=dates.format_http_date(START + 100), date=90)),
        get(NEW, at=10, cache="fwd=stale"),
    ),
    *(
        case(f"9111-5.3-invalid-expires-is-past-{name}", get(says(expires=text)), get(NEW))
        for name, text in {
            "zero": "0",
            "word": "never",
            "zone": LATER.replace("GMT", "PST"),
            "offset": LATER.replace("GMT", "+0000"),
            "no-day": LATER.partition(", ")[2],
            "one-digit-hour": LATER.replace("09:49", "9:49"),
            "impossible": LATER.replace("06 Nov", "31 Nov"),
        }.items()
    ),
    case("9111-5.3-expires-in-the-past", get(says(expires=EARLIER)), get(NEW)),
    case(
        "9111-5.3-expires-now-is-stale", get(says(expires=dates.format_http_date(START))), get(NEW)
    ),
    case(
        "9111-5.3-expires-twice-is-stale",
        get(says(also=[("Expires", LATER), ("Expires", EARLIER)])),
        get(NEW, body=b"new", cache="fwd=stale"),
    ),
    case(
        "9111-4.2-expires-is-read-without-case",
        get(says(b"old", expires=LATER.lower())),
        get(at=5, cache="hit"),
    ),
    keeps("9110-5.6.7-expires-in-rfc-850-form", expires="Sunday, 06-Nov-94 09:49:37 GMT"),
    keeps("9110-5.6.7-expires-in-asctime-form", expires="Sun Nov  6 09:49:37 1994"),
    *(
        case(
            f"9111-4.2.1-{name}-is-stale",
            get(says(cache_control=text, etag='"a"')),
            get(NEW, body=b"new", cache="fwd=stale"),
        )
        for name, text in {
            "a-negative-max-age": "max-age=-1",
            "a-decimal-max-age": "max-age=60.5",
            "a-max-age-of-words": "max-age=abc",
            "a-max-age-with-a-space": "max-age= 60",
            "an-empty-max-age": "max-age=",
            "a-max-age-in-single-quotes": "max-age='60'",
            "one-bad-max-age-of-two": "max-age=60, max-age=x",
            "an-invalid-s-maxage": "s-maxage=x, max-age=60",
        }.items()
    ),
    keeps("9111-1.2.2-a-huge-max-age-is-long", "max-age=99999999999999999999"),
    keeps("9111-1.2.2-two-to-the-31-is-long", "max-age=2147483648"),
    keeps("9111-5.2-a-quoted-max-age-counts", 'max-age="60"'),
    keeps("9111-5.2-directives-have-no-case", "MaX-aGe=60"),
    keeps("9111-5.2.3-unknown-directives-are-ignored", 'max-age=60, x-y=z, community="UCI"'),
    keeps("9111-4.2.1-leading-zeros", "max-age=0060"),
    keeps("9111-5.2-empty-members", ", max-age=60,,"),
    case(
        "9111-4.2.1-of-two-max-ages-the-shorter",
        get(says(also=[("Cache-Control", "max-age=3600"), ("Cache-Control", "max-age=10")])),
        get(NEW, at=10, cache="fwd=stale"),
    ),
    case(
        "9111-5.2-a-directive-inside-quotes-is-none",
        get(says(b"old", cache_control='max-age=60, x="no-store, private"')),
        get(at=5, cache="hit"),
    ),
    case(
        "9111-4.2.2-no-heuristics-by-default",
        get(says(last_modified=EARLIER), stored=True),
        get(NEW, origin_headers={"If-Modified-Since": EARLIER}),
    ),
    case(
        "9111-4.2.2-heuristics-when-asked-for",
        get(says(b"old", last_modified=EARLIER)),
        get(at=359, body=b"old", cache="hit"),
        get(NEW, at=361, cache="fwd=stale"),
        options=Options(heuristic_fraction=0.1),
    ),
    case(
        "9111-4.2.2-no-heuristics-beside-an-explicit-lifetime",
        get(says(last_modified=EARLIER, cache_control="max-age=1")),
        get(NEW, at=5),
        options=Options(heuristic_fraction=0.1),
    ),
    case(
        "9111-4.2.2-no-heuristics-for-a-302",
        get(says(status=302, last_modified=EARLIER), status=302),
        get(NEW, at=5),
        options=Options(heuristic_fraction=0.1),
    ),
    case(
        "9111-4.2.2-heuristics-for-a-302-that-is-public",
        get(says(status=302, last_modified=EARLIER, cache_control="public"), status=302),
        get(at=5, status=302, cache="hit"),
        options=Options(heuristic_fraction=0.1),
    ),
]

AGES = [
    case("9111-4-a-hit-has-an-age", get(FRESH, response_headers={"Age": None}), get(at=7, age=7)),
    case(
        "9111-4.2.3-age-is-the-sum-of-upstream-and-here",
        get(says(age="30", **LONG)),
        get(at=7, age=37),
    ),
    case(
        "9111-4.2.3-age-makes-stale",
        get(says(age="3595", etag='"a"', **LONG)),
        get(NEW, at=5, cache="fwd=stale"),
    ),
    case("9111-4.2.3-apparent-age-from-date", get(says(date=-100, **LONG)), get(at=7, age=107)),
    case(
        "9111-4.2.3-the-larger-of-both", get(says(date=-100, age="50", **LONG)), get(at=7, age=107)
    ),
    case(
        "9111-4.2.3-a-date-in-the-future-is-no-age", get(says(date=HOUR, **LONG)), get(at=7, age=7)
    ),
    case("9111-4.2.3-response-delay-counts", get(says(takes=4, **LONG)), get(at=10, age=10)),
    case(
        "9111-4.2.3-an-origin-whose-clock-is-an-hour-slow-is-stale-at-once",
        get(says(date=-HOUR, etag='"a"', **LONG)),
        get(NEW, at=1, cache="fwd=stale"),
    ),
    case(
        "9110-6.6.1-a-missing-date-is-when-it-came",
        get(says(date=None, **LONG)),
        get(at=7, age=7, response_headers={"Date": dates.format_http_date(START)}),
    ),
    case(
        "9111-5.1-the-upstream-age-is-replaced", get(says(age="5", **LONG), age=5), get(at=1, age=6)
    ),
    *(
        case(
            f"9111-5.1-an-invalid-age-is-ignored-{name}",
            get(says(age=text, **LONG)),
            get(at=7, age=7),
        )
        for name, text in {"word": "old", "negative": "-5", "decimal": "1.5", "empty": ""}.items()
    ),
    case(
        "9111-5.1-of-an-age-list-the-first",
        get(says(also=[("Age", "10"), ("Age", "1000")], **LONG)),
        get(at=7, age=17),
    ),
    case(
        "9111-5.1-of-an-age-list-in-one-line-the-first",
        get(says(age="10, 99", **LONG)),
        get(at=7, age=17),
    ),
    case(
        "9111-1.2.2-a-huge-age-is-stale",
        get(says(age="9" * 30, etag='"a"', **LONG)),
        get(NEW, at=1, cache="fwd=stale"),
    ),
]

VARIES: Fields = {"vary": "Accept-Language", **LONG}
DE, EN = {"Accept-Language": "de"}, {"Accept-Language": "en"}

VARY = [
    case(
        "9111-4.1-another-value-is-a-miss",
        get(says(b"de", **VARIES), headers=DE),
        get(says(b"en", **VARIES), headers=EN, body=b"en", cache="fwd=vary-miss; stored"),
        get(headers=DE, body=b"de", cache="hit"),
        get(headers=EN, body=b"en", cache="hit"),
    ),
    case(
        "9111-4.1-absent-is-a-value",
        get(says(b"de", **VARIES), headers=DE),
        get(says(b"none", **VARIES), body=b"none", cache="fwd=vary-miss"),
        get(body=b"none", cache="hit"),
    ),
    case(
        "9111-4.1-a-star-never-matches",
        get(says(vary="*", **LONG), cache="fwd=uri-miss; detail=vary-star"),
        get(NEW, cache="fwd=uri-miss"),
    ),
    case(
        "9111-4.1-a-star-among-names",
        get(says(vary="Accept-Language, *", **LONG), stored=False),
        get(NEW, cache="fwd=uri-miss"),
    ),
    case(
        "9111-4.1-several-names-all-must-match",
        get(says(b"x", vary="A, B", **LONG), headers={"A": "1", "B": "2"}),
        get(NEW, headers={"A": "1", "B": "3"}, cache="fwd=vary-miss"),
        get(headers={"A": "1", "B": "2"}, body=b"x", cache="hit"),
    ),
    case(
        "9111-4.1-several-lines-of-vary",
        get(says(b"x", also=[("Vary", "A"), ("Vary", "B")], **LONG), headers={"A": "1", "B": "2"}),
        get(NEW, headers={"A": "1"}, cache="fwd=vary-miss"),
        get(headers={"A": "1", "B": "2"}, cache="hit"),
    ),
    case(
        "9111-4.1-names-have-no-case",
        get(says(vary="ACCEPT-language", **LONG), headers=DE),
        get(NEW, headers=EN, cache="fwd=vary-miss"),
        get(headers=DE, cache="hit"),
    ),
    case(
        "9111-4.1-white-space-in-a-list-means-nothing",
        get(says(**VARIES), headers={"Accept-Language": "de, en;q=0.5"}),
        get(headers={"Accept-Language": "de,en; q=0.5"}, cache="hit"),
        get(headers={"Accept-Language": "DE , en;q=0.5"}, cache="hit"),
    ),
    case(
        "9111-4.1-order-of-languages-may-mean-something",
        get(says(**VARIES), headers={"Accept-Language": "de, en"}),
        get(NEW, headers={"Accept-Language": "en, de"}, cache="fwd=vary-miss"),
    ),
    case(
        "9111-4.1-order-of-codings-means-nothing",
        get(says(vary="Accept-Encoding", **LONG), headers={"Accept-Encoding": "gzip, br"}),
        get(headers={"Accept-Encoding": "br,gzip;q=1.0"}, cache="hit"),
    ),
    case(
        "9111-4.1-the-newest-of-those-that-match",
        get(says(b"any", **LONG)),
        get(says(b"de", **VARIES), at=1, headers={**DE, "Cache-Control": "no-cache"}),
        get(at=2, headers=DE, body=b"de", cache="hit"),
        get(at=2, headers=EN, body=b"any", cache="hit"),
    ),
]

VALIDATION = [
    case(
        "9111-4.3.1-the-stored-validators-are-sent",
        get(says(etag='"a"', last_modified=EARLIER, **SHORT)),
        get(
            says(status=304, etag='"a"', **SHORT),
            at=10,
            origin_headers={"If-None-Match": '"a"', "If-Modified-Since": EARLIER},
            cache="fwd=stale; fwd-status=304; stored",
            body=b"page",
        ),
    ),
    case(
        "9111-4.3.1-a-weak-tag-is-sent-as-it-is",
        get(says(etag='W/"a"', **SHORT)),
        get(says(status=304), at=10, origin_headers={"If-None-Match": 'W/"a"'}, body=b"page"),
    ),
    case(
        "9111-4.3.1-last-modified-alone",
        get(says(last_modified=EARLIER, **SHORT)),
        get(says(status=304), at=10, origin_headers={"If-Modified-Since": EARLIER}, body=b"page"),
    ),
    case(
        "9111-4.3.1-without-a-validator-no-condition",
        get(says(**SHORT)),
        get(
            NEW,
            at=10,
            origin_headers={"If-None-Match": None, "If-Modified-Since": None},
            body=b"new",
        ),
    ),
    case(
        "9111-4.3.1-the-readers-own-validators-are-not-sent",
        get(STALE),
        get(
            says(status=304),
            at=10,
            headers={"If-None-Match": '"zzz"', "If-Modified-Since": LATER},
            origin_headers={"If-None-Match": '"a"', "If-Modified-Since": None},
            body=b"old",
        ),
    ),
    case(
        "9111-4.3.3-a-304-makes-fresh-again",
        get(STALE),
        get(says(status=304, **SHORT), at=10, body=b"old", age=0),
        get(at=19, age=9, cache="hit; ttl=1"),
    ),
    case(
        "9111-4.3.3-a-200-replaces",
        get(STALE),
        get(NEW, at=10, body=b"new", cache="fwd=stale; stored"),
        get(at=12, body=b"new", age=2),
    ),
    case(
        "9111-4.3.3-a-404-replaces",
        get(STALE),
        get(says(b"gone", status=404, **LONG), at=10, status=404),
        get(at=11, status=404, body=b"gone", cache="hit"),
    ),
    case(
        "9111-4.3.3-a-5xx-is-passed-on-and-the-stored-one-stays",
        get(STALE),
        get(says(status=503), at=10, status=503),
        get(says(status=304), at=11, origin_headers={"If-None-Match": '"a"'}, body=b"old"),
    ),
    case(
        "9111-3.2-a-304-updates-fields",
        get(says(x_a="1", x_b="1", etag='"a"', **SHORT)),
        get(
            says(status=304, etag='"a"', x_a="2", x_c="2", **LONG),
            at=10,
            response_headers={"X-A": "2"},
        ),
        get(
            at=99,
            response_headers={
                "X-A": "2",
                "X-B": "1",
                "X-C": "2",
                "Cache-Control": LONG["cache_control"],
            },
        ),
    ),
    case(
        "9111-3.2-a-304-replaces-all-lines-of-a-field",
        get(says(also=[("Link", "<a>"), ("Link", "<b>")], etag='"a"', **SHORT)),
        get(says(status=304, link="<c>"), at=10, response_headers={"Link": "<c>"}),
    ),
    case(
        "9111-3.2-a-304-does-not-change-what-describes-the-bytes",
        get(says(content_encoding="x", etag='"a"', **SHORT)),
        get(
            says(status=304, content_encoding="y", content_range="z", length=999, **LONG),
            at=10,
            response_headers={
                "Content-Encoding": "x",
                "Content-Range": None,
                "Content-Length": "4",
            },
        ),
        get(at=11, response_headers={"Content-Encoding": "x", "Content-Length": "4"}, body=b"page"),
    ),
    case(
        "9111-3.2-a-304-updates-content-type",
        get(says(content_type="text/html", etag='"a"', **SHORT)),
        get(says(status=304, content_type="text/plain", **LONG), at=10),
        get(at=11, response_headers={"Content-Type": "text/plain"}),
    ),
    case(
        "9111-3.2-a-304-may-say-no-store",
        get(STALE),
        get(says(status=304, cache_control="no-store"), at=10, body=b"old", stored=False),
        get(NEW, at=11, body=b"new", cache="fwd=uri-miss"),
    ),
    case(
        "9111-3.2-a-304-may-add-a-private-field",
        get(says(x_me="a", etag='"a"', **SHORT)),
        get(says(status=304, x_me="b", cache_control='max-age=60, private="X-Me"'), at=10),
        get(at=11, cache="hit", response_headers={"X-Me": None}),
    ),
    case(
        "9111-3.2-a-304-with-a-cookie-is-for-one-reader",
        get(STALE),
        get(
            says(status=304, set_cookie="a=1", **LONG),
            at=10,
            response_headers={"Set-Cookie": "a=1"},
            stored=False,
        ),
        get(says(status=304, **LONG), at=11, response_headers={"Set-Cookie": None}, body=b"old"),
    ),
    case(
        "9111-4.3.4-a-304-with-another-strong-tag-updates-nothing",
        get(STALE),
        get(
            says(status=304, etag='"zzz"'),
            NEW,
            at=10,
            body=b"new",
            origin_headers={"If-None-Match": None},
        ),
    ),
    case(
        "9111-4.3.4-a-weak-304-confirms-a-strong-tag",
        get(STALE),
        get(says(status=304, etag='W/"a"', **LONG), at=10, body=b"old"),
        get(at=11, cache="hit"),
    ),
    case(
        "9111-4.3.4-a-304-with-another-date-updates-nothing",
        get(says(last_modified=EARLIER, **SHORT)),
        get(says(status=304, last_modified=LATER), NEW, at=10, body=b"new"),
    ),
    case(
        "9111-4.3.4-a-304-without-date-is-dated-when-it-came",
        get(STALE),
        get(says(status=304, date=None, **SHORT), at=3600, age=0, body=b"old"),
        get(at=3605, age=5, cache="hit"),
    ),
    case(
        "9111-4.2.3-the-age-of-a-304-counts",
        get(STALE),
        get(says(status=304, age="4", **SHORT), at=10, age=4),
        get(at=15, age=9),
        get(says(status=304), at=16),
    ),
    case(
        "9111-4.3.2-the-reader-gets-a-304-from-what-a-304-confirmed",
        get(STALE),
        get(says(status=304, **LONG), at=10, headers={"If-None-Match": '"a"'}, status=304),
        get(at=11, body=b"old", cache="hit"),
    ),
    case(
        "9111-4.3.2-a-condition-on-a-miss-fetches-everything",
        get(
            FRESH,
            headers={"If-None-Match": '"a"'},
            origin_headers={"If-None-Match": None},
            status=304,
        ),
        get(body=b"old", cache="hit"),
    ),
    case(
        "9111-4.3.2-a-condition-is-kept-even-if-nothing-is-stored",
        get(
            says(etag='"a"', cache_control="no-store"), headers={"If-None-Match": '"a"'}, status=304
        ),
    ),
    case(
        "9111-4.3.2-an-origins-condition-is-not-evaluated",
        get(FRESH),
        get(
            NEW,
            headers={"If-Match": '"zzz"'},
            origin_headers={"If-Match": '"zzz"'},
            cache="fwd=bypass",
        ),
        get(NEW, headers={"If-Unmodified-Since": EARLIER}, cache="fwd=bypass; detail=precondition"),
    ),
    case(
        "9111-4.3.2-if-modified-since-against-last-modified",
        get(says(last_modified=EARLIER, **LONG)),
        get(headers={"If-Modified-Since": EARLIER}, status=304),
        get(headers={"If-Modified-Since": LATER}, status=304),
        get(headers={"If-Modified-Since": dates.format_http_date(START - 2 * HOUR)}, body=b"page"),
    ),
    case(
        "9111-4.3.2-if-modified-since-against-date",
        get(says(**LONG)),
        get(headers={"If-Modified-Since": dates.format_http_date(START)}, status=304),
        get(headers={"If-Modified-Since": EARLIER}, status=200),
    ),
    case(
        "9111-4.3.5-a-head-freshens",
        get(STALE),
        get(says(etag='"a"', x_new="1", length=3, **LONG), at=10, method="HEAD", body=b""),
        get(at=60, body=b"old", response_headers={"X-New": "1"}, cache="hit"),
    ),
    case(
        "9111-4.3.5-a-head-with-another-tag-makes-stale",
        get(FRESH),
        get(says(etag='"b"', **LONG), at=5, method="HEAD", headers={"Cache-Control": "no-cache"}),
        get(NEW, at=6, cache="fwd=stale", origin_headers={"If-None-Match": '"a"'}),
    ),
    case(
        "9111-4.3.5-a-head-with-another-length-makes-stale",
        get(FRESH),
        get(says(length=99, **LONG), at=5, method="HEAD", headers={"Cache-Control": "no-cache"}),
        get(NEW, at=6, cache="fwd=stale"),
    ),
    case(
        "9111-4.3.5-a-head-that-says-no-store-takes-back",
        get(STALE),
        get(says(etag='"a"', cache_control="no-store"), at=10, method="HEAD"),
        get(NEW, at=11, cache="fwd=uri-miss"),
    ),
    case(
        "9111-4-a-stored-get-answers-a-head",
        get(FRESH),
        get(
            at=5,
            method="HEAD",
            body=b"",
            age=5,
            response_headers={"Content-Length": "3", "ETag": '"a"'},
        ),
    ),
]

INVALIDATION = [
    *(
        case(
            f"9111-4.4-a-successful-{method}-invalidates",
            get(FRESH),
            get(says(status=status), method=method, status=status, cache="fwd=method"),
            get(NEW, body=b"new", cache="fwd=uri-miss"),
        )
        for method, status in (
            ("POST", 200),
            ("PUT", 204),
            ("DELETE", 202),
            ("PATCH", 303),
            ("M-SEARCH", 200),
            ("UNKNOWN", 200),
        )
    ),
    *(
        case(
            f"9111-4.4-a-failed-post-invalidates-nothing-{status}",
            get(FRESH),
            get(says(status=status), method="POST", status=status),
            get(body=b"old", cache="hit"),
        )
        for status in (400, 404, 500, 503)
    ),
    *(
        case(
            f"9111-4.4-a-safe-{method}-invalidates-nothing",
            get(FRESH),
            get(says(), method=method),
            get(body=b"old", cache="hit"),
        )
        for method in ("OPTIONS", "TRACE")
    ),
    *(
        case(
            f"9111-4.4-{name.lower()}-is-invalidated-{kind}",
            get(FRESH, target="/dir/other"),
            get(
                says(status=201, also=[(name, value)]),
                method="POST",
                target="/dir/this",
                status=201,
            ),
            get(NEW, target="/dir/other", body=b"new"),
        )
        for name in ("Location", "Content-Location")
        for kind, value in (
            ("absolute", "http://example.org/dir/other"),
            ("path", "/dir/other"),
            ("relative", "other"),
        )
    ),
    *(
        case(
            f"9111-4.4-{name.lower()}-elsewhere-is-left-alone-{kind}",
            get(FRESH, target="/other", headers={"Host": host}),
            get(says(also=[(name, value)]), method="POST"),
            get(target="/other", headers={"Host": host}, body=b"old", cache="hit"),
        )
        for name in ("Location", "Content-Location")
        for kind, host, value in (
            ("host", "victim.example", "http://victim.example/other"),
            ("port", "example.org:81", "http://example.org:81/other"),
        )
    ),
    case(
        "9111-4.4-a-location-that-is-none",
        get(says(status=201, location="http://[bad"), method="POST", status=201),
    ),
    case(
        "9111-4.4-all-variants-are-invalidated",
        get(says(b"de", **VARIES), headers=DE),
        get(says(b"en", **VARIES), headers=EN),
        get(says(), method="POST"),
        get(NEW, headers=DE, cache="fwd=uri-miss"),
    ),
]

REQUESTS = [
    case(
        "9111-5.2.1.1-max-age-of-the-request",
        get(FRESH),
        get(at=9, headers={"Cache-Control": "max-age=10"}, cache="hit"),
        get(
            says(status=304, **LONG),
            at=11,
            headers={"Cache-Control": "max-age=10"},
            cache="fwd=request",
        ),
        get(at=12, headers={"Cache-Control": "max-age=10"}, cache="hit"),
    ),
    case(
        "9111-5.2.1.1-max-age-zero-validates",
        get(FRESH),
        get(
            says(status=304, **LONG),
            at=1,
            headers={"Cache-Control": "max-age=0"},
            cache="fwd=request",
        ),
    ),
    case(
        "9111-5.2.1.2-max-stale-takes-anything",
        get(STALE),
        get(at=3000, headers={"Cache-Control": "max-stale"}, body=b"old", cache="hit; ttl=-2990"),
    ),
    case(
        "9111-5.2.1.2-max-stale-has-a-bound",
        get(STALE),
        get(at=15, headers={"Cache-Control": "max-stale=5"}, cache="hit; ttl=-5; detail=max-stale"),
        get(NEW, at=16, headers={"Cache-Control": "max-stale=5"}, cache="fwd=stale"),
    ),
    *(
        case(
            f"9111-4.2.4-{directive.partition('=')[0]}-forbids-stale",
            get(says(etag='"a"', cache_control=f"max-age=10, {directive}")),
            get(NEW, at=11, headers={"Cache-Control": "max-stale=99"}, cache="fwd=stale"),
        )
        for directive in ("must-revalidate", "proxy-revalidate", "s-maxage=10", "no-cache")
    ),
    case(
        "9111-5.2.1.3-min-fresh",
        get(says(etag='"a"', cache_control="max-age=100")),
        get(at=50, headers={"Cache-Control": "min-fresh=50"}, cache="hit"),
        get(NEW, at=51, headers={"Cache-Control": "min-fresh=50"}, cache="fwd=request"),
    ),
    case(
        "9111-5.2.1.4-no-cache-of-the-request-validates",
        get(FRESH),
        get(
            says(status=304, **LONG),
            headers={"Cache-Control": "no-cache"},
            origin_headers={"If-None-Match": '"a"'},
            cache="fwd=request",
            body=b"old",
        ),
    ),
    case(
        "9111-5.4-pragma-counts-without-cache-control",
        get(FRESH),
        get(says(status=304, **LONG), headers={"Pragma": "no-cache"}, cache="fwd=request"),
        get(headers={"Pragma": "no-cache", "Cache-Control": "max-age=60"}, cache="hit"),
    ),
    case(
        "9111-5.2.1.5-no-store-of-the-request",
        get(
            FRESH,
            headers={"Cache-Control": "no-store"},
            cache="fwd=uri-miss; detail=request-no-store",
        ),
        get(FRESH, cache="fwd=uri-miss"),
    ),
    case(
        "9111-5.2.1.7-only-if-cached",
        get(
            headers={"Cache-Control": "only-if-cached"}, status=504, response_headers={"Age": None}
        ),
        get(FRESH),
        get(headers={"Cache-Control": "only-if-cached"}, body=b"old", cache="hit"),
        get(
            method="HEAD",
            headers={"Cache-Control": "only-if-cached"},
            target="/b",
            status=504,
            body=b"",
        ),
    ),
    case(
        "9111-5.2.1-a-shield-ignores-a-readers-wishes",
        get(FRESH),
        get(
            headers={"Cache-Control": "no-cache, max-age=0, no-store", "Pragma": "no-cache"},
            cache="hit",
        ),
        get(target="/b", headers={"Cache-Control": "only-if-cached"}, status=504),
        get(
            FRESH,
            target="/c",
            headers={"Cache-Control": "no-cache"},
            origin_headers={"Cache-Control": None},
        ),
        options=Options(obeyed_request_directives=frozenset({"only-if-cached"})),
    ),
]

RESPONSES = [
    case(
        "9111-5.2.2.4-no-cache-is-stored-and-always-validated",
        get(says(b"old", etag='"a"', cache_control="no-cache, max-age=60"), stored=True),
        get(says(status=304), origin_headers={"If-None-Match": '"a"'}, body=b"old"),
        get(says(status=304), origin_headers={"If-None-Match": '"a"'}, body=b"old"),
    ),
    case(
        "9111-5.2.2.4-no-cache-without-a-validator-is-useless",
        get(says(cache_control="no-cache, max-age=60"), stored=False),
    ),
    case(
        "9111-5.2.2.2-must-revalidate-is-fresh-first",
        get(says(b"old", cache_control="max-age=60, must-revalidate")),
        get(at=59, cache="hit"),
    ),
    case(
        "9111-5.2.2.3-must-understand-stands-above-no-store",
        get(says(b"old", cache_control="must-understand, no-store, max-age=60"), stored=True),
        get(at=5, cache="hit"),
    ),
    refuses(
        "9111-5.2.2.3-must-understand-of-an-unknown-status",
        "must-understand, no-store, max-age=60",
        status=299,
        why="must-understand",
    ),
    refuses(
        "9111-5.2.2.7-private-with-junk-is-private", 'private="a b", max-age=60', why="private"
    ),
    refuses("9111-5.2.2.7-bare-private-wins", 'private="a", private, max-age=60', why="private"),
    keeps("9111-5.2.2.9-public", "public, max-age=60"),
]

CASES = [
    *STORING,
    *KEYS,
    *FRESHNESS,
    *AGES,
    *VARY,
    *VALIDATION,
    *INVALIDATION,
    *REQUESTS,
    *RESPONSES,
]
