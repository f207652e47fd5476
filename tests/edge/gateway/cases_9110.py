"""RFC 9110: validators, conditions, ranges, connection fields and content codings."""

from __future__ import annotations

from app.edge.gateway.options import Options
from app.edge.http import dates
from tests.edge.gateway.scripted_origin import START, Case, Fields, case, get, pairs, says

LONG: Fields = {"cache_control": "max-age=3600"}
EARLIER = dates.format_http_date(START - 3600)
PAGE = says(b"0123456789", etag='"a"', last_modified=EARLIER, **LONG)


def none_match(name: str, stored: str | None, if_none_match: str, status: int) -> Case:
    """Return a case of one If-None-Match against one stored ETag."""
    response = says(**LONG) if stored is None else says(etag=stored, **LONG)
    return case(
        f"9110-13.1.2-{name}",
        get(response),
        get(headers={"If-None-Match": if_none_match}, status=status, cache="hit"),
    )


CONDITIONS = [
    none_match("equal", '"a"', '"a"', 304),
    none_match("different", '"a"', '"b"', 200),
    none_match("in-a-list", '"a"', '"x", "a", "y"', 304),
    none_match("in-a-list-without-spaces", '"a"', '"x","a"', 304),
    none_match("a-comma-inside-a-tag", '"x,y"', '"x,y"', 304),
    none_match("half-a-tag-is-none", '"x,y"', '"x', 200),
    none_match("not-in-a-list", '"a"', '"x", "y"', 200),
    none_match("star", '"a"', "*", 304),
    none_match("star-without-a-stored-tag", None, "*", 304),
    none_match("tag-without-a-stored-tag", None, '"a"', 200),
    none_match("weak-asked", '"a"', 'W/"a"', 304),
    none_match("weak-stored", 'W/"a"', '"a"', 304),
    none_match("both-weak", 'W/"a"', 'W/"a"', 304),
    none_match("lower-case-w-is-no-tag", '"a"', 'w/"a"', 200),
    none_match("case-matters", '"a"', '"A"', 200),
    none_match("junk-is-believed-nothing", '"a"', '"a", junk', 200),
    none_match("a-tag-without-quotes-as-the-origin-spelt-it", "abc", "abc", 304),
    none_match("an-empty-tag", '""', '""', 304),
    case(
        "9110-13.2.2-if-none-match-goes-before-if-modified-since",
        get(PAGE),
        get(headers={"If-None-Match": '"x"', "If-Modified-Since": EARLIER}, status=200),
        get(
            headers={
                "If-None-Match": '"a"',
                "If-Modified-Since": dates.format_http_date(START - 9999),
            },
            status=304,
        ),
    ),
    case(
        "9110-13.1.3-an-invalid-date-is-ignored",
        get(PAGE),
        get(headers={"If-Modified-Since": "yesterday"}, status=200),
    ),
    case(
        "9110-13.1.3-two-dates-are-ignored",
        get(PAGE),
        get(headers={"If-Modified-Since": f"{EARLIER}, {EARLIER}"}, status=200),
    ),
    case(
        "9110-13.2.1-conditions-mean-nothing-to-a-404",
        get(says(status=404, etag='"a"', **LONG), status=404),
        get(headers={"If-None-Match": '"a"'}, status=404, cache="hit"),
        get(headers={"If-Modified-Since": EARLIER}, status=404, cache="hit"),
    ),
    case(
        "9110-15.4.5-a-304-carries-what-guides-caches",
        get(
            says(
                etag='"a"',
                vary="X-A",
                expires=dates.format_http_date(START + 99),
                content_location="/here",
                content_type="text/plain",
                content_language="de",
                last_modified=EARLIER,
                **LONG,
            )
        ),
        get(
            headers={"If-None-Match": '"a"'},
            status=304,
            at=5,
            age=5,
            response_headers={
                "ETag": '"a"',
                "Vary": "X-A",
                "Cache-Control": "max-age=3600",
                "Expires": dates.format_http_date(START + 99),
                "Content-Location": "/here",
                "Date": dates.format_http_date(START),
                "Content-Type": None,
                "Content-Length": None,
                "Content-Language": None,
                "Last-Modified": None,
            },
        ),
    ),
    case(
        "9110-15.4.5-without-a-tag-the-304-says-last-modified",
        get(says(last_modified=EARLIER, **LONG)),
        get(
            headers={"If-Modified-Since": EARLIER},
            status=304,
            response_headers={"Last-Modified": EARLIER},
        ),
    ),
    case(
        "9110-13.1.2-a-head-can-be-304-too",
        get(PAGE),
        get(method="HEAD", headers={"If-None-Match": '"a"'}, status=304),
    ),
]


def part(name: str, range_header: str, expected: str, body: bytes) -> Case:
    """Return a case of a Range with a partial response."""
    return case(
        f"9110-14-{name}",
        get(PAGE),
        get(
            headers={"Range": range_header},
            status=206,
            body=body,
            cache="hit",
            response_headers={
                "Content-Range": expected,
                "Content-Length": str(len(body)),
                "ETag": '"a"',
            },
        ),
    )


def everything(name: str, **headers: str) -> Case:
    """Return a case of a Range that is ignored."""
    request_headers = {key.replace("_", "-"): value for key, value in headers.items()}
    return case(
        f"9110-14.2-{name}",
        get(PAGE),
        get(
            headers=request_headers,
            status=200,
            body=b"0123456789",
            response_headers={"Content-Range": None},
        ),
    )


def nothing(name: str, range_header: str) -> Case:
    """Return a case of a Range that is not satisfiable."""
    return case(
        f"9110-15.5.17-{name}",
        get(PAGE),
        get(
            headers={"Range": range_header},
            status=416,
            response_headers={"Content-Range": "bytes */10"},
        ),
    )


RANGES = [
    part("first-bytes", "bytes=0-3", "bytes 0-3/10", b"0123"),
    part("one-byte", "bytes=0-0", "bytes 0-0/10", b"0"),
    part("to-the-end", "bytes=7-", "bytes 7-9/10", b"789"),
    part("beyond-the-end", "bytes=7-999", "bytes 7-9/10", b"789"),
    part("the-last", "bytes=-3", "bytes 7-9/10", b"789"),
    part("more-than-all-of-the-last", "bytes=-99", "bytes 0-9/10", b"0123456789"),
    part("the-unit-has-no-case", "BYTES=0-1", "bytes 0-1/10", b"01"),
    part("neighbours-are-joined", "bytes=0-1, 2-3", "bytes 0-3/10", b"0123"),
    part("overlaps-are-joined", "bytes=4-6,2-5", "bytes 2-6/10", b"23456"),
    part("the-unsatisfiable-of-two-is-left-out", "bytes=0-1,99-", "bytes 0-1/10", b"01"),
    everything("five-parts", Range="bytes=0-0,2-2,4-4,6-6,8-8"),
    case(
        "9110-14.2-the-satisfiable-of-several-joined-where-they-touch",
        get(PAGE),
        *(
            get(
                status=206,
                headers={"Range": range_header},
                cache="hit",
                parts=parts,
                response_headers={"Content-Range": None},
            )
            for range_header, parts in (
                ("bytes=0-1,5-6", [("bytes 0-1/10", b"01"), ("bytes 5-6/10", b"56")]),
                ("bytes=-1,0-0,99-", [("bytes 9-9/10", b"9"), ("bytes 0-0/10", b"0")]),
                ("bytes=6-7,0-1,1-2", [("bytes 0-2/10", b"012"), ("bytes 6-7/10", b"67")]),
            )
        ),
    ),
    everything("another-unit", Range="lines=0-1"),
    everything("backwards", Range="bytes=5-2"),
    everything("no-numbers", Range="bytes=-"),
    everything("words", Range="bytes=a-b"),
    everything("no-unit", Range="0-1"),
    everything("negative", Range="bytes=--1"),
    everything("ten-thousand-parts", Range="bytes=" + ",".join(["0-0"] * 10_000)),
    everything("digits-without-end", Range="bytes=0-" + "9" * 5000),
    everything("empty", Range="bytes="),
    nothing("beyond", "bytes=10-"),
    nothing("the-last-none", "bytes=-0"),
    case(
        "9110-14.2-a-head-has-no-range",
        get(PAGE),
        get(
            method="HEAD", headers={"Range": "bytes=0-1"}, response_headers={"Content-Length": "10"}
        ),
    ),
    case(
        "9110-14.2-a-404-has-no-range",
        get(says(status=404, **LONG), status=404),
        get(headers={"Range": "bytes=0-1"}, status=404, body=b"page"),
    ),
    case(
        "9110-13.1.5-if-range-equal",
        get(PAGE),
        get(headers={"Range": "bytes=0-1", "If-Range": '"a"'}, status=206, body=b"01"),
        get(headers={"Range": "bytes=0-1", "If-Range": EARLIER}, status=206, body=b"01"),
    ),
    everything("if-range-different", Range="bytes=0-1", If_Range='"b"'),
    everything("if-range-weak", Range="bytes=0-1", If_Range='W/"a"'),
    everything("if-range-date-later", Range="bytes=0-1", If_Range=dates.format_http_date(START)),
    everything("if-range-junk", Range="bytes=0-1", If_Range="junk"),
    case(
        "9110-13.1.5-a-weak-stored-tag-is-no-if-range",
        get(says(b"0123456789", etag='W/"a"', **LONG)),
        get(headers={"Range": "bytes=0-1", "If-Range": 'W/"a"'}, status=200),
    ),
    case(
        "9110-8.8.2.2-a-date-within-a-minute-is-weak",
        get(says(last_modified=dates.format_http_date(START - 59), **LONG)),
        get(
            headers={"Range": "bytes=0-1", "If-Range": dates.format_http_date(START - 59)},
            status=200,
        ),
    ),
    case(
        "9110-13.2.2-conditions-go-before-ranges",
        get(PAGE),
        get(headers={"Range": "bytes=0-1", "If-None-Match": '"a"'}, status=304),
    ),
    case(
        "9110-14-a-miss-with-a-range-stores-everything",
        get(
            PAGE,
            headers={"Range": "bytes=0-1"},
            origin_headers={"Range": None},
            status=206,
            body=b"01",
        ),
        get(body=b"0123456789", cache="hit"),
    ),
    case(
        "9110-14-a-part-from-the-origin-is-passed-on",
        get(says(b"01", status=206, content_range="bytes 0-1/10", **LONG), status=206, body=b"01"),
        get(PAGE, body=b"0123456789", cache="fwd=uri-miss; stored"),
    ),
    case(
        "9110-14-a-page-that-is-not-kept-is-asked-for-with-its-range-next-time",
        get(
            says(cache_control="no-store"),
            headers={"Range": "bytes=0-1"},
            origin_headers={"Range": None},
        ),
        get(
            says(b"pa", status=206, cache_control="no-store"),
            headers={"Range": "bytes=0-1"},
            origin_headers={"Range": "bytes=0-1"},
            status=206,
            body=b"pa",
        ),
    ),
]

CONNECTION = [
    case(
        "9110-7.6.1-hop-by-hop-fields-are-not-kept",
        get(says(also=[("Keep-Alive", "1"), ("Proxy-Connection", "a"), ("Trailer", "b")], **LONG)),
        get(
            response_headers={"Keep-Alive": None, "Proxy-Connection": None, "Trailer": None},
            cache="hit",
        ),
    ),
    case(
        "9110-7.6.1-fields-named-by-connection-are-not-kept",
        get(says(also=[("Connection", "close, X-Hop"), ("X-Hop", "1"), ("X-End", "2")], **LONG)),
        get(response_headers={"Connection": None, "X-Hop": None, "X-End": "2"}, cache="hit"),
    ),
]

CODED = Options(compress=True, min_compress_size=20)
TEXT = b"<p>hello</p>" * 50
COMPRESSIBLE = says(TEXT, etag='"a"', content_type="text/html; charset=utf-8", **LONG)


def coding(name: str, accepted: str | None, expected: str | None) -> Case:
    """Return a case of the coding that is chosen for this Accept-Encoding."""
    headers = {} if accepted is None else {"Accept-Encoding": accepted}
    tag = '"a"' if expected is None else f'"a;{expected}"'
    return case(
        f"9110-12.5.3-{name}",
        get(COMPRESSIBLE, origin_headers={"Accept-Encoding": None}, headers=headers),
        get(
            headers=headers,
            cache="hit",
            response_headers={"Content-Encoding": expected, "ETag": tag, "Vary": "Accept-Encoding"},
        ),
        options=CODED,
    )


def uncoded(name: str, **headers: str) -> Case:
    """Return a case of a response that is not compressed."""
    body = headers.pop("body", "").encode() or TEXT
    fields = {"cache_control": "max-age=3600", "content_type": "text/html", **headers}
    return case(
        f"9110-8.4-{name}",
        get(says(body, also=pairs(fields))),
        get(
            headers={"Accept-Encoding": "br, gzip"},
            cache="hit",
            body=body,
            response_headers={"Content-Encoding": headers.get("content_encoding")},
        ),
        options=CODED,
    )


CODINGS = [
    coding("brotli-before-gzip", "gzip, deflate, br", "br"),
    coding("gzip-alone", "gzip", "gzip"),
    coding("x-gzip-is-gzip", "x-gzip", "gzip"),
    coding("nothing-said", None, None),
    coding("nothing-accepted", "", None),
    coding("unknown-codings", "zstd, compress", None),
    coding("brotli-refused", "br;q=0, gzip", "gzip"),
    coding("brotli-refused-with-decimals", "br;q=0.000, gzip;q=0.1", "gzip"),
    coding("weights-decide", "br;q=0.5, gzip;q=0.8", "gzip"),
    coding("the-star", "*", "br"),
    coding("the-star-but-brotli", "*, br;q=0", "gzip"),
    coding("the-star-refused", "gzip, *;q=0", "gzip"),
    coding("identity-preferred", "identity, br;q=0.5", None),
    coding("identity-refused", "identity;q=0, gzip;q=0.1", "gzip"),
    coding("identity-refused-and-nothing-else", "identity;q=0", None),
    coding("names-have-no-case", "BR", "br"),
    coding("white-space", "gzip ; q=0.5 , br ; q=1", "br"),
    coding("junk", "br;;q=1, gzip", "gzip"),
    uncoded("no-transform", cache_control="max-age=60, no-transform"),
    uncoded(
        "no-transform-beside-a-targeted-field",
        cdn_cache_control="max-age=60",
        cache_control="no-transform",
    ),
    uncoded("already-coded", content_encoding="x"),
    uncoded("images", content_type="image/png"),
    uncoded("small", body="small"),
    uncoded("a-digest-of-the-bytes", content_digest="sha-256=:AA==:"),
    case(
        "9110-8.8.3.3-each-coding-has-its-own-validator",
        get(COMPRESSIBLE),
        get(headers={"Accept-Encoding": "br", "If-None-Match": '"a;br"'}, status=304),
        get(headers={"Accept-Encoding": "br", "If-None-Match": '"a"'}, status=200),
        get(headers={"Accept-Encoding": "gzip", "If-None-Match": '"a;br"'}, status=200),
        get(headers={"If-None-Match": '"a"'}, status=304),
        options=CODED,
    ),
    case(
        "9110-8.8.3-a-weak-tag-stays-weak",
        get(says(TEXT, etag='W/"a"', content_type="text/html", **LONG)),
        get(headers={"Accept-Encoding": "br"}, response_headers={"ETag": 'W/"a;br"'}),
        options=CODED,
    ),
    case(
        "9110-12.5.5-vary-is-said-once",
        get(says(TEXT, vary="Accept-Encoding", content_type="text/html", **LONG)),
        get(
            headers={"Accept-Encoding": "br"},
            response_headers={"Vary": "Accept-Encoding"},
            cache="hit",
        ),
        options=CODED,
    ),
    case(
        "9110-12.5.5-vary-is-added-to",
        get(says(TEXT, vary="Accept-Language", content_type="text/html", **LONG)),
        get(response_headers={"Vary": "Accept-Language, Accept-Encoding"}, cache="hit"),
        options=CODED,
    ),
    case(
        "9110-8.4-the-origins-own-tag-validates-all-codings",
        get(says(TEXT, etag='"a"', content_type="text/html", cache_control="max-age=10")),
        get(says(status=304, etag='"a"', **LONG), at=10, origin_headers={"If-None-Match": '"a"'}),
        get(
            at=20,
            headers={"Accept-Encoding": "br"},
            response_headers={"ETag": '"a;br"'},
            cache="hit",
        ),
        options=CODED,
    ),
    case(
        "9110-14-a-range-is-of-the-chosen-coding",
        get(COMPRESSIBLE),
        get(
            headers={"Accept-Encoding": "gzip", "Range": "bytes=0-1"},
            status=206,
            body=b"\x1f\x8b",
            response_headers={"Content-Encoding": "gzip", "ETag": '"a;gzip"'},
        ),
        options=CODED,
    ),
]

CASES = [*CONDITIONS, *RANGES, *CONNECTION, *CODINGS]
