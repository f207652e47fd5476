"""RFC 9211, 9213, 5861 and 8246, and what the gateway promises beyond the standards."""

from __future__ import annotations

from datetime import timedelta

from app.edge.gateway.options import Options
from app.edge.http import dates
from app.edge.http.cache_key import TRACKERS
from tests.edge.gateway.scripted_origin import START, Fields, case, get, says

LONG: Fields = {"cache_control": "max-age=3600"}
NEW = says(b"new", etag='"b"', **LONG)
PURGED: Fields = {"broadsheet_cache_control": "max-age=3600, purged"}
TAKES_BR = {"Accept-Encoding": "gzip, deflate, br;q=1.0"}
BR = says(b"br", etag='"a-br"', vary="Accept-Encoding", content_encoding="br", **LONG)
START_DATE, A_MINUTE_ON = (dates.format_http_date(START + seconds) for seconds in (0, 60))
IN_AN_HOUR, A_MINUTE_LATER = (dates.format_http_date(START + seconds) for seconds in (3600, 3660))


def swr(seconds: int, **more: str) -> str:
    """Return a lifetime of ten seconds with a stale-while-revalidate."""
    return ", ".join(["max-age=10", f"stale-while-revalidate={seconds}", *more.values()])


STATUS = [
    case(
        "9211-2-a-miss",
        get(NEW, response_headers={"Cache-Status": "broadsheet; fwd=uri-miss; stored"}),
    ),
    case(
        "9211-2-a-hit",
        get(NEW),
        get(at=9, response_headers={"Cache-Status": "broadsheet; hit; ttl=3591"}),
    ),
    case(
        "9211-2-a-method",
        get(says(), method="POST", response_headers={"Cache-Status": "broadsheet; fwd=method"}),
    ),
    case(
        "9211-2-a-stale-one",
        get(says(etag='"a"', cache_control="max-age=1")),
        get(NEW, at=5, response_headers={"Cache-Status": "broadsheet; fwd=stale; stored"}),
    ),
    case(
        "9211-2-upstreams-members-come-first",
        get(
            says(cache_status="up; hit", **LONG),
            response_headers={"Cache-Status": "up; hit, broadsheet; fwd=uri-miss; stored"},
        ),
        get(response_headers={"Cache-Status": "up; hit, broadsheet; hit; ttl=3600"}),
        get(
            says(cache_status="up; hit"),
            method="POST",
            response_headers={"Cache-Status": "up; hit, broadsheet; fwd=method"},
        ),
    ),
    case(
        "9211-2-the-name-can-be-chosen",
        get(NEW, response_headers={"Cache-Status": "edge-1; fwd=uri-miss; stored"}),
        get(response_headers={"Cache-Status": "edge-1; hit; ttl=3600"}),
        options=Options(name="edge-1"),
    ),
    case(
        "9211-2-a-name-that-is-no-token-is-quoted",
        get(NEW, response_headers={"Cache-Status": '"my \\"edge\\""; fwd=uri-miss; stored'}),
        options=Options(name='my "edge"'),
    ),
]

TARGETED = [
    case(
        "9213-2.2-the-targeted-field-counts",
        get(says(cdn_cache_control="max-age=3600", cache_control="no-store"), stored=True),
        get(
            at=99,
            cache="hit",
            response_headers={"CDN-Cache-Control": "max-age=3600", "Cache-Control": "no-store"},
        ),
    ),
    case(
        "9213-2.2-it-may-forbid",
        get(says(cdn_cache_control="no-store", **LONG), stored=False),
        get(NEW),
    ),
    case(
        "9213-2.2-the-first-target-counts",
        get(
            says(
                broadsheet_cache_control="max-age=3600",
                cdn_cache_control="max-age=5",
                cache_control="max-age=1",
            )
        ),
        get(at=99, cache="hit"),
    ),
    case(
        "9213-2.2-expires-does-not-count-beside-it",
        get(
            says(
                cdn_cache_control="private=?0, x",
                expires="Sun, 06 Nov 2094 08:49:37 GMT",
                etag='"a"',
            )
        ),
        get(NEW, body=b"new"),
    ),
    *(
        case(
            f"9213-2.1-a-malformed-field-is-ignored-{name}",
            get(says(b"old", cdn_cache_control=text, **LONG)),
            get(at=99, body=b"old", cache="hit"),
        )
        for name, text in {
            "upper-case": "Max-Age=5, no-store",
            "empty": "",
            "a-comma-too-many": "no-store,",
            "unclosed-quotes": 'no-store, x="y',
            "a-bad-value": "no-store, x=@",
        }.items()
    ),
    case(
        "9213-2.1-parameters-are-ignored",
        get(says(b"old", cdn_cache_control="max-age=3600;x=5", cache_control="no-store")),
        get(at=99, body=b"old", cache="hit"),
    ),
    case(
        "9213-2.1-of-a-key-that-comes-twice-the-last",
        get(says(cdn_cache_control="max-age=5, max-age=3600")),
        get(at=99, cache="hit"),
    ),
    case(
        "9213-2.1-a-number-in-quotes-is-no-number",
        get(says(cdn_cache_control='max-age="3600"', etag='"a"', **LONG)),
        get(NEW, body=b"new"),
    ),
    case(
        "9213-2.1-several-lines-are-one-dictionary",
        get(says(also=[("CDN-Cache-Control", "max-age=3600"), ("CDN-Cache-Control", "private")])),
        get(NEW, body=b"new"),
    ),
    case(
        "9213-2.2-a-304-without-the-field-keeps-it",
        get(says(broadsheet_cache_control="max-age=10", etag='"a"', **LONG)),
        get(says(status=304), at=10),
        get(at=19, cache="hit"),
        get(says(status=304), at=20),
    ),
]

STALE = [
    case(
        "5861-3-stale-while-revalidate-answers-at-once",
        get(says(b"old", cache_control=swr(60))),
        get(NEW, at=11, body=b"old", cache="hit; ttl=-1; detail=stale-while-revalidate", age=11),
        get(at=12, body=b"new", cache="hit", age=1),
    ),
    case(
        "5861-3-not-beyond-its-time",
        get(says(b"old", cache_control=swr(60))),
        get(NEW, at=70, body=b"new", cache="fwd=stale"),
    ),
    *(
        case(
            f"5861-3-not-with-{directive}",
            get(says(b"old", etag='"a"', cache_control=f"{swr(60)}, {directive}")),
            get(NEW, at=11, body=b"new", cache="fwd=stale"),
        )
        for directive in ("must-revalidate", "proxy-revalidate", "s-maxage=10")
    ),
    case(
        "5861-3-a-head-refreshes-too",
        get(says(b"old", cache_control=swr(60))),
        get(NEW, at=11, method="HEAD", cache="hit"),
        get(at=12, body=b"new", cache="hit"),
    ),
    case(
        "5861-3-a-refresh-validates",
        get(says(b"old", etag='"a"', cache_control=swr(60))),
        get(says(status=304, **LONG), at=11, body=b"old", origin_headers={"If-None-Match": '"a"'}),
        get(at=12, body=b"old", cache="hit", age=1),
    ),
    *(
        case(
            f"5861-4-stale-if-error-{status}",
            get(says(b"old", cache_control="max-age=10, stale-if-error=60")),
            get(
                says(status=status),
                at=11,
                body=b"old",
                age=11,
                cache=f"fwd=stale; fwd-status={status}; ttl=-1; detail=stale-if-error",
            ),
        )
        for status in (500, 502, 503, 504)
    ),
    case(
        "5861-4-an-exception-is-an-error",
        get(says(b"old", cache_control="max-age=10, stale-if-error=60")),
        get(says(fails=True), at=11, body=b"old", cache="fwd=stale;", age=11),
    ),
    case(
        "5861-4-a-body-that-breaks-off-is-an-error",
        get(says(b"old", cache_control="max-age=10, stale-if-error=60")),
        get(says(b"newer", breaks=True, **LONG), at=11, body=b"old"),
    ),
    case(
        "5861-4-a-404-is-no-error",
        get(says(b"old", cache_control="max-age=10, stale-if-error=60")),
        get(says(status=404), at=11, status=404),
    ),
    case(
        "5861-4-not-beyond-its-time",
        get(says(b"old", cache_control="max-age=10, stale-if-error=60")),
        get(says(status=503), at=70, status=503, cache="fwd=stale"),
    ),
    *(
        case(
            f"5861-4-not-with-{directive}",
            get(
                says(
                    b"old", etag='"a"', cache_control=f"max-age=10, stale-if-error=60, {directive}"
                )
            ),
            get(says(status=503), at=11, status=503),
        )
        for directive in ("must-revalidate", "proxy-revalidate", "s-maxage=10", "no-cache")
    ),
    case(
        "5861-4-the-request-may-ask-for-it",
        get(says(b"old", cache_control="max-age=10")),
        get(says(status=503), at=11, headers={"Cache-Control": "stale-if-error=60"}, body=b"old"),
        get(says(status=503), at=99, headers={"Cache-Control": "stale-if-error=60"}, status=503),
    ),
    case(
        "5861-4-the-options-may-allow-it",
        get(says(b"old", cache_control="max-age=10")),
        get(says(status=503), at=11, body=b"old"),
        options=Options(stale_if_error=timedelta(minutes=1)),
    ),
    case(
        "5861-4-a-head-gets-it-too",
        get(says(b"old", cache_control="max-age=10, stale-if-error=60")),
        get(says(status=503), at=11, method="HEAD", response_headers={"Content-Length": "3"}),
    ),
    case(
        "8246-2-immutable-changes-nothing-for-a-shared-cache",
        get(says(b"old", etag='"a"', cache_control="max-age=10, immutable")),
        get(at=9, cache="hit", response_headers={"Cache-Control": "max-age=10, immutable"}),
        get(NEW, at=10, cache="fwd=stale"),
    ),
]

OWN = [
    case(
        "own-internal-fields-are-never-shown",
        get(
            says(cache_tag="p", surrogate_key="p", xkey="p", broadsheet_cache_control="max-age=9"),
            response_headers={
                "Cache-Tag": None,
                "Surrogate-Key": None,
                "Xkey": None,
                "Broadsheet-Cache-Control": None,
            },
        ),
        get(cache="hit", response_headers={"Cache-Tag": None, "Surrogate-Key": None, "Xkey": None}),
        get(says(cache_tag="p"), method="POST", response_headers={"Cache-Tag": None}),
        get(
            says(cache_tag="p", cache_control="no-store"),
            target="/b",
            response_headers={"Cache-Tag": None},
        ),
    ),
    case(
        "own-internal-fields-can-be-chosen",
        get(says(cache_tag="p", **LONG), response_headers={"Cache-Tag": "p"}),
        get(cache="hit", response_headers={"Cache-Tag": "p"}),
        options=Options(internal_fields=frozenset()),
    ),
    case(
        "own-fields-of-one-request-are-not-kept",
        get(says(x_request_id="1", **LONG), response_headers={"X-Request-Id": "1"}),
        get(cache="hit", response_headers={"X-Request-Id": None}),
        options=Options(per_request_fields=frozenset({"x-request-id"})),
    ),
    case(
        "own-trackers-split-no-page",
        get(NEW, target="/?utm_source=a&id=1&fbclid=b", origin_headers={"Query": None}),
        get(target="/?id=1", cache="hit"),
        get(target="/?gclid=z&id=1&utm_medium=%20", cache="hit"),
        get(NEW, target="/?id=1&utmost=1", cache="fwd=uri-miss"),
        options=Options(ignored_parameters=TRACKERS),
    ),
    case(
        "own-a-purge-forgets-every-variant",
        get(says(b"de", vary="A", **LONG), headers={"A": "1"}),
        get(says(b"en", vary="A", **LONG), headers={"A": "2"}),
        get(
            NEW,
            purge="http://EXAMPLE.org:80/",
            headers={"A": "1"},
            body=b"new",
            cache="fwd=uri-miss",
        ),
    ),
    case(
        "own-a-purge-of-a-path-with-letters-of-other-alphabets",
        get(NEW, target="/caf\xc3\xa9"),
        get(NEW, target="/caf\xc3\xa9", purge="http://example.org/café", cache="fwd=uri-miss"),
        get(NEW, target="/caf\xc3\xa9", purge="http://example.org/caf%C3%A9", cache="fwd=uri-miss"),
    ),
    case(
        "own-a-configured-site-is-the-site",
        get(NEW, headers={"Host": "evil.example"}, origin_headers={"Host": "example.org"}),
        get(headers={"Host": "other.example"}, cache="hit"),
        get(NEW, purge="/", cache="fwd=uri-miss"),
        options=Options(site="https://example.org"),
    ),
    case(
        "own-what-is-not-the-gateways-business-is-passed-on",
        get(NEW, target="/studio/x", cache="fwd=bypass; detail=configured"),
        get(NEW, target="/studio/x", cache="fwd=bypass"),
        options=Options(bypasses=lambda path: path.startswith("/studio/")),
    ),
    case(
        "own-too-large-a-body-is-passed-on-whole",
        get(says(b"x" * 200, **LONG), body=b"x" * 200, cache="fwd=uri-miss; detail=too-large"),
        get(
            says(b"x" * 200, length=200, **LONG),
            body=b"x" * 200,
            cache="fwd=uri-miss; detail=too-large",
        ),
        options=Options(max_body_size=100),
    ),
    case(
        "own-what-is-purged-is-as-new-as-a-fresh-answer",
        get(says(cdn_cache_control="max-age=60", expires=IN_AN_HOUR, **PURGED)),
        get(
            at=60,
            cache="hit; ttl=3540",
            age=0,
            response_headers={"Date": A_MINUTE_ON, "Expires": A_MINUTE_LATER},
        ),
        options=Options(reset_age=True),
    ),
    case(
        "own-an-expires-that-is-no-date-stays-as-it-is",
        get(
            says(cdn_cache_control="max-age=60", expires="0", **PURGED),
            response_headers={"Expires": "0"},
        ),
        get(at=60, cache="hit", age=0, response_headers={"Expires": "0"}),
        options=Options(reset_age=True),
    ),
    case(
        "own-a-304-is-as-new-as-well",
        get(says(cdn_cache_control="max-age=60", etag='"a"', **PURGED)),
        get(
            at=60,
            status=304,
            headers={"If-None-Match": '"a"'},
            age=0,
            response_headers={"Date": A_MINUTE_ON},
        ),
        options=Options(reset_age=True),
    ),
    case(
        "own-what-is-stale-is-not-as-new",
        get(
            says(
                cdn_cache_control="max-age=60",
                broadsheet_cache_control="max-age=9, purged, stale-while-revalidate=60",
            )
        ),
        get(says(status=500), at=60, cache="hit", age=60, response_headers={"Date": START_DATE}),
        options=Options(reset_age=True),
    ),
    *(
        case(
            f"own-an-age-is-sent-{name}",
            get(says(expires=IN_AN_HOUR, **directives)),
            get(at=60, cache="hit", age=60, response_headers={"Expires": IN_AN_HOUR}),
            options=Options(reset_age=resets_age),
        )
        for name, directives, resets_age in (
            (
                "where-nobody-else-keeps-it",
                {"cache_control": "max-age=0", "broadsheet_cache_control": "max-age=3600, purged"},
                True,
            ),
            (
                "where-the-promise-is-one-of-time",
                {"cdn_cache_control": "max-age=60", "broadsheet_cache_control": "max-age=3600"},
                True,
            ),
            ("where-another-field-says-purged", {"cache_control": "max-age=3600, purged"}, True),
            (
                "where-the-gateway-does-not-vouch",
                {"cdn_cache_control": "max-age=60", **PURGED},
                False,
            ),
        )
    ),
    case(
        "own-a-shield-fetches-the-page-for-its-head",
        get(
            NEW,
            method="HEAD",
            body=b"",
            cache="fwd=uri-miss; stored",
            response_headers={"Etag": '"b"'},
        ),
        get(method="HEAD", body=b"", cache="hit", response_headers={"Content-Length": "3"}),
        get(body=b"new", cache="hit"),
        get(says(b"mine", cache_control="no-store"), target="/b", method="HEAD", body=b""),
        get(
            says(status=304),
            at=3600,
            method="HEAD",
            body=b"",
            origin_headers={"If-None-Match": '"b"'},
        ),
        options=Options(get_on_head=True),
    ),
    case(
        "own-the-origins-codings-are-kept-as-they-came",
        get(BR, headers=TAKES_BR, origin_headers={"Accept-Encoding": "br"}, body=b"br"),
        get(
            headers={"Accept-Encoding": "br"},
            cache="hit",
            body=b"br",
            response_headers={"ETag": '"a-br"'},
        ),
        get(
            says(b"plain", vary="Accept-Encoding", **LONG),
            origin_headers={"Accept-Encoding": "identity"},
        ),
        get(headers={"Accept-Encoding": "zstd"}, cache="hit", body=b"plain"),
        get(headers=TAKES_BR, cache="hit", body=b"br", response_headers={"Content-Encoding": "br"}),
        get(
            headers={**TAKES_BR, "If-None-Match": '"a-br"'},
            status=304,
            response_headers={"ETag": '"a-br"'},
        ),
        get(
            headers={**TAKES_BR, "Range": "bytes=1-1"},
            status=206,
            response_headers={"Content-Encoding": "br"},
        ),
        get(
            says(b"x" * 999, **LONG),
            target="/b",
            headers=TAKES_BR,
            origin_headers={"Accept-Encoding": None},
        ),
        options=Options(compress=True, is_encoded_by_origin=lambda path: path == "/"),
    ),
    case(
        "own-a-page-that-became-private-takes-the-old-one-back",
        get(says(b"old", cache_control="max-age=10, stale-if-error=600")),
        get(says(cache_control="private"), at=11),
        get(says(status=503), at=12, status=503),
    ),
]

HOSTILE = [
    *(
        case(
            f"hostile-{name}-does-not-shape-a-shared-page",
            get(NEW, headers={name: value}, origin_headers={name: None}),
            get(cache="hit", body=b"new"),
        )
        for name, value in {
            "X-Forwarded-Host": "evil.example",
            "X-Forwarded-Proto": "gopher",
            "X-Forwarded-Prefix": "/evil",
            "Forwarded": "host=evil",
            "X-Original-URL": "/admin",
            "X-Rewrite-URL": "/admin",
            "X-HTTP-Method-Override": "DELETE",
            "X-Script-Name": "/evil",
        }.items()
    ),
    case(
        "hostile-a-get-with-a-body-is-passed-on",
        get(NEW, content=b"q=evil", cache="fwd=bypass; detail=body"),
        get(NEW, cache="fwd=uri-miss"),
    ),
    case(
        "hostile-a-host-that-is-none",
        get(NEW, headers={"Host": "a b"}, cache="fwd=bypass; detail=unkeyable"),
        get(NEW, headers={"Host": "user@example.org"}, cache="fwd=bypass; detail=unkeyable"),
        get(NEW, headers={"Host": "example.org/x"}, cache="fwd=bypass; detail=unkeyable"),
    ),
    case(
        "hostile-a-strange-spelling-of-the-host-reaches-nobody",
        get(NEW, headers={"Host": "EXAMPLE.org:80"}, origin_headers={"Host": "example.org"}),
        get(cache="hit"),
    ),
    case(
        "hostile-what-the-origin-never-sees-splits-no-page",
        get(
            says(b"one", vary="X-Forwarded-Host, X-Own", **LONG),
            headers={"X-Forwarded-Host": "a", "X-Own": "1"},
        ),
        get(headers={"X-Forwarded-Host": "b", "X-Own": "1"}, body=b"one", cache="hit"),
        get(NEW, headers={"X-Forwarded-Host": "a", "X-Own": "2"}, cache="fwd=vary-miss"),
    ),
    case(
        "hostile-an-offer-to-upgrade-is-no-way-around",
        get(NEW),
        get(headers={"Upgrade": "h2c"}, cache="hit"),
        get(NEW, headers={"Upgrade": "websocket"}, cache="fwd=bypass; detail=websocket"),
    ),
    case(
        "hostile-connection-can-not-hide-a-restriction",
        get(
            says(also=[("Connection", "cache-control"), ("Cache-Control", "no-store")]),
            stored=False,
        ),
        get(says(vary="X", also=[("Connection", "vary")], **LONG), headers={"X": "1"}, target="/b"),
        get(NEW, target="/b", cache="fwd=vary-miss"),
    ),
    case(
        "hostile-a-flood-of-cookies-changes-nothing",
        get(NEW, headers={"Cookie": "; ".join(f"a{n}=b" for n in range(5000))}),
        get(headers={"Cookie": "x" * 65536}, cache="hit", body=b"new"),
    ),
    case(
        "hostile-sixty-four-kilobytes-of-everything",
        get(NEW),
        *(
            get(headers={name: unit * (65536 // len(unit))}, cache="hit")
            for name in ("If-None-Match", "If-Modified-Since", "Accept-Encoding", "Range")
            for unit in (",", '"', '"a",', "bytes=", " ", "a;q=", "\\")
            if unit != '"a",' or name != "If-None-Match"
        ),
    ),
    case(
        "hostile-cache-control-of-a-reader",
        get(NEW),
        *(
            get(headers={"Cache-Control": unit * (65536 // len(unit))}, cache="hit")
            for unit in (",", '"', "x=,", "\x07", '\\"', "max-age")
        ),
    ),
    case(
        "hostile-an-open-quote-hides-no-store",
        get(says(cache_control='x="max-age=60, no-store'), stored=False),
    ),
    case(
        "hostile-clocks-an-hour-apart",
        get(says(b"old", date=3600, expires="Sun, 06 Nov 1994 09:49:47 GMT")),
        get(at=9, body=b"old", cache="hit", age=9),
        get(NEW, at=10, body=b"new", cache="fwd=stale"),
    ),
]

CASES = [*STATUS, *TARGETED, *STALE, *OWN, *HOSTILE]
