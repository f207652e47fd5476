from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from app.middleware.security_headers import ALWAYS

from . import raw_http
from .live_site import Site
from .raw_http import Answer, request

pytestmark = pytest.mark.live

ARTICLE = "/articles/small-print"
MARK = "evil-7f3a"
"""Stands in every hostile value: it must never be found in the store."""

LONG = "a" * 65536


@pytest.fixture(autouse=True)
def _from_nothing(site: Site) -> None:
    """Each case finds an empty store."""
    site.forget()


@pytest.fixture(scope="module")
def innocent(site: Site) -> dict[str, Answer]:
    """What a reader gets who sends nothing but a Host."""
    return {path: site.ask(path) for path in ("/", ARTICLE, "/feed.xml", "/search?q=cache")}


def assert_secure(answer: Answer) -> None:
    """Demand the security headers, which errors and redirects need as well."""
    values = {name: answer.headers.get(name) for name, _ in ALWAYS}
    assert values == dict(ALWAYS), answer


# Wrong URLs

GONE = {
    "an encoded slash": "/articles%2fsmall-print",
    "an encoded slash in upper case": "/articles%2Fsmall-print",
    "a backslash": "/a\\b",
    "a backslash for a host": "/\\evil.example",
    "an encoded backslash": "/%5cevil.example",
    "a semicolon": "/articles/small-print;x",
    "an encoded semicolon behind an encoded slash": "/articles%2f%3b",
    "up and out": "/..%2f..%2fetc/passwd",
    "page zero": "/archive/pages/0",
    "page a thousand million": "/archive/pages/1000000000",
    "page ten to the twenty": "/archive/pages/100000000000000000000",
    "a page below zero": "/archive/pages/-1",
    "a page with a zero before it": "/archive/pages/01",
    "a page with a sign": "/archive/pages/+1",
    "a page in other digits": "/archive/pages/%D9%A1",
    "a page as a power": "/archive/pages/1e9",
    "page a thousand million of a topic": "/topics/caching/pages/1000000000",
    "page zero of an author": "/authors/noor-castellan/pages/0",
    "a year too many": "/archive/99999",
    "the year zero": "/archive/0000",
    "a year to come": "/archive/9999",
    "sitemap zero": "/sitemaps/0.xml",
    "sitemap a thousand million": "/sitemaps/1000000000.xml",
    "a space": "/about%20",
    "an encoded question mark": "/about%3Fx",
    "seven thousand letters": f"/{'a' * 7000}",
    "right to left": "/%E2%80%AEabout",
    "a media file of nobody": "/media/00000000000000000000/x.png",
    "a static file of nobody": "/static/0000000000000000/css/site.css",
    "a static file below the folder": "/static/0000000000000000/..%2f..%2fapp/__init__.py",
}

REFUSED = {
    "NUL": "/%00",
    "NUL behind a page": "/about%00",
    "a line break": "/about%0d%0aX-Evil:%20evil-7f3a",
    "a tab": "/about%09",
    "DEL": "/%7f",
    "bytes that are no UTF-8": "/%ff",
    "an overlong slash": "/%c0%af",
    "half a character": "/%c3%28",
    "half a surrogate": "/%ed%a0%80",
    "an escape that is none": "/%zz",
    "a lone percent sign": "/%",
    "a fragment": "/about#x",
    "a fragment behind a query": "/about?#x",
    "more than eight thousand letters": f"/{'a' * 8100}",
}

REDIRECTED = {
    "//about": "/about",
    "//evil.example/": "/evil.example/",
    "///evil.example/%2e%2e": "/",
    "/./about": "/about",
    "/topics/../about": "/about",
    "/..": "/",
    "/%61bout": "/about",
    "/articles/small%2Dprint": ARTICLE,
    "/ABOUT": "/about",
    "/ARTICLES/Small-Print": ARTICLE,
    "/about/": "/about",
    "/About/": "/about",
    "/articles/small-print/": ARTICLE,
    "/about?": "/about",
    "/about?x=1": "/about",
    "/about?&&": "/about",
    "/about?=": "/about",
    "/about?%0d%0aX:y": "/about",
    "/about?utm%5fsource=1": "/about",
    "/about?UTM_SOURCE=1": "/about",
    "/about?utm_source=1&x=1": "/about",
    "/?page=2": "/",
    "/feed.xml?format=evil": "/feed.xml",
    "/api/posts?page=9": "/api/posts",
    "/search?q=": "/search",
    "/search?q=cache&q=edge": "/search?q=cache",
    "/search?q=cache&": "/search?q=cache",
    "/search?x=1&q=cache": "/search?q=cache",
    "/search?q=%63ache": "/search?q=cache",
    "/search?Q=cache": "/search",
    "http://evil.example//about": "/about",
    "http:////evil.example/about": "/evil.example/about",
}

SAME = (
    "/about?utm_source=a",
    "/about?fbclid=1&utm_medium=b&gclid=c",
    "/about?utm_source=1&&utm_medium=2",
    "http://127.0.0.1/about",
    "http://evil.example/about",
    "https://evil.example:444/about",
)
"""Other ways to ask for /about that need no redirect: its one copy answers."""


@pytest.mark.parametrize("target", GONE.values(), ids=GONE)
def test_a_url_that_names_nothing_is_a_404(site: Site, target: str) -> None:
    """Never an error of ours, never a page."""
    answer = site.ask(target)
    assert answer.status == 404
    assert_secure(answer)


@pytest.mark.parametrize("target", REFUSED.values(), ids=REFUSED)
def test_a_url_that_is_none_is_refused(site: Site, target: str) -> None:
    """And nothing of it is stored or said again."""
    answer = site.ask(target)
    assert answer.status == (414 if target == REFUSED["more than eight thousand letters"] else 400)
    assert answer.headers["Cache-Control"] == "no-store"
    assert MARK not in str(answer.headers)
    assert_secure(answer)
    assert site.count() == 0


@pytest.mark.parametrize(("target", "to"), REDIRECTED.items())
def test_another_spelling_is_redirected_once(site: Site, target: str, to: str) -> None:
    """To a path on this host, that answers by itself."""
    answer = site.ask(target)
    status = 302 if urlsplit(target).query else 301
    assert (answer.status, answer.headers["Location"]) == (status, to)
    assert not urlsplit(answer.headers["Location"]).netloc
    assert_secure(answer)
    assert site.ask(to).status == (404 if to.startswith("/evil.example") else 200)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("target", [*GONE.values(), *REFUSED.values(), *REDIRECTED])
def test_no_wrong_url_makes_a_second_copy_of_a_page(site: Site, target: str, method: str) -> None:
    """The page has one key; what else is stored is a 404 or a redirect, never a page."""
    site.ask(target, method=method)
    with site.stored() as store:
        stored = [one for key, _ in store.most_requested(100) for one in store.load(key)]
    assert [one.status for one in stored if one.status == 200] == []


@pytest.mark.parametrize("target", SAME)
def test_trackers_and_the_absolute_form_find_the_one_copy(site: Site, target: str) -> None:
    """Whoever asks first, however it is spelt, all share one stored page."""
    first, plain, second = site.ask(target), site.ask("/about"), site.ask(target)
    assert first.cache_status == "broadsheet; fwd=uri-miss; stored"
    assert "; hit" in plain.cache_status
    assert "; hit" in second.cache_status
    assert first.page == plain.page == second.page
    assert site.count() == 1


METHODS = ("POST", "PUT", "DELETE", "PATCH", "TRACE", "CONNECT", "PROPFIND", "PURGE", "WEIRD")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", [ARTICLE, "/", "/api/posts", "/no-such-page", "/healthz"])
def test_other_methods_are_refused(site: Site, method: str, path: str) -> None:
    """With 405, an Allow that is true, and without a word in the store."""
    answer = site.send(request(path, f"X-Evil: {MARK}", method=method))
    assert answer.status == 405
    assert {"GET", "HEAD"} <= set(re.split(r",\s*", answer.headers["Allow"]))
    assert answer.headers["Cache-Control"] == "no-store"
    assert MARK.encode() not in answer.body
    assert_secure(answer)
    assert site.count() == 0


def test_a_refused_method_leaves_the_stored_page_alone(site: Site) -> None:
    """Or a stranger could make the origin render again and again."""
    site.ask(ARTICLE)
    for method in METHODS:
        site.send(request(ARTICLE, method=method))
        assert "; hit" in site.ask(ARTICLE).cache_status, method


# Hostile headers

HARMLESS: dict[str, tuple[str | bytes, ...]] = {
    "bytes beyond ASCII": (b"X-Evil: \xff\xfe evil-7f3a",),
    "a flood of cookies": ("Cookie: " + "; ".join(f"c{n}={MARK}" for n in range(500)),),
    "ninety cookie lines": (f"Cookie: session={MARK}",) * 90,
    "sixty-four kilobytes of fields": tuple(f"X-{n}: {MARK}{LONG[:700]}" for n in range(90)),
    "SCRIPT_NAME": (f"SCRIPT_NAME: /{MARK}",),
    "Script-Name": (f"Script-Name: /{MARK}",),
    "PATH_INFO": (f"PATH_INFO: /{MARK}",),
    "X_Forwarded_Host": (f"X_Forwarded_Host: {MARK}.example",),
    "wsgi.url_scheme": ("wsgi.url_scheme: https", "WSGI_URL_SCHEME: https", "HTTPS: on"),
    "X-Forwarded": (
        f"X-Forwarded-Host: {MARK}.example",
        "X-Forwarded-Proto: https",
        f"X-Forwarded-Prefix: /{MARK}",
        f"X-Forwarded-For: {MARK}",
        "X-Forwarded-Port: 666",
        "X-Forwarded-Ssl: on",
    ),
    "Forwarded": (f"Forwarded: host={MARK}.example;proto=https",),
    "another method": ("X-HTTP-Method-Override: DELETE", "X-Method-Override: DELETE"),
    "another URL": (f"X-Original-URL: /{MARK}", f"X-Rewrite-URL: /{MARK}"),
    "another language": (f"Accept-Language: {MARK}", f"Accept: {MARK}/x"),
    "an origin": (f"Origin: https://{MARK}.example", f"Referer: https://{MARK}.example/"),
    "an agent": (f"User-Agent: <script>{MARK}</script>",),
    "an upgrade": ("Upgrade: h2c", "HTTP2-Settings: AAAA"),
    "hop-by-hop fields": ("Connection: Host, Cookie, Cache-Control, Content-Type",),
    "wishes": ("Cache-Control: no-cache, no-store, max-age=0", "Pragma: no-cache"),
    "codings": (f"Accept-Encoding: {MARK};q=9, *;q=-1, ;;;, identity;q=0.000",),
    "conditions": (f'If-None-Match: "{MARK}", {MARK}', f"If-Modified-Since: {MARK}"),
    "a range that is none": (f"Range: {MARK}=0-1",),
    "a thousand ranges": ("Range: bytes=" + ",".join(f"{n}-{n}" for n in range(1000)),),
    "a range beyond all numbers": (f"Range: bytes=-{'9' * 4000}",),
    "headers for edges": (f"Surrogate-Key: {MARK}", f"Cache-Tag: {MARK}", f"CDN-Loop: {MARK}"),
    "a purge": ("X-Purge: 1", "Fastly-Soft-Purge: 1"),
}


@pytest.mark.parametrize("path", ["/", ARTICLE, "/feed.xml", "/search?q=cache"])
@pytest.mark.parametrize("lines", HARMLESS.values(), ids=HARMLESS)
def test_who_comes_first_shapes_no_page(
    site: Site, innocent: dict[str, Answer], lines: tuple[str, ...], path: str
) -> None:
    """The next reader gets, from the store, what the headers could not change."""
    site.send(request(path, *lines))
    after = site.ask(path)
    assert "; hit" in after.cache_status
    assert after.page == innocent[path].page
    assert_nothing_stored_of(site)


def test_an_authorized_reader_stores_nothing(site: Site, innocent: dict[str, Answer]) -> None:
    """The page is everybody's, but an answer to credentials is kept for nobody (RFC 9111, 3.5)."""
    secret = "Authorization: Basic ZXZpbC03ZjNhOng="
    first = site.send(request(ARTICLE, secret))
    assert (first.status, first.body) == (200, innocent[ARTICLE].body)
    assert site.count() == 0
    site.ask(ARTICLE)
    assert "; hit" in site.send(request(ARTICLE, secret)).cache_status


def assert_nothing_stored_of(site: Site) -> None:
    """Look for the mark in the bytes of the store, in pages long freed too."""
    for file in (site.store / "store").iterdir():
        if file.is_file():
            assert MARK.encode() not in file.read_bytes(), file.name


HOSTS = {
    "foreign": f"{MARK}.example",
    "upper case": f"{MARK.upper()}.EXAMPLE",
    "with a port": f"{MARK}.example:666",
    "an IPv6 address": "[::1]:80",
    "with a dot": f"{MARK}.example.",
    "long": f"{'a' * 200}.{MARK}.example",
    "empty": "",
}


@pytest.mark.parametrize("host", HOSTS.values(), ids=HOSTS)
def test_no_host_shapes_a_page(site: Site, innocent: dict[str, Answer], host: str) -> None:
    """Links and canonical addresses come from the site's settings alone."""
    for path, right in innocent.items():
        first = site.send(request(path, host=host))
        assert first.page == right.page
        after = site.ask(path)
        assert "; hit" in after.cache_status
        assert after.page == right.page
    redirect = site.send(request("/About", host=host))
    assert redirect.headers["Location"] == "/about"
    assert_nothing_stored_of(site)


MALFORMED_HOSTS = {
    "a space": "a b",
    "a user": "evil@example",
    "a path": "example.org/x",
    "markup": '"><script>',
    "a backslash": "a\\b",
}


@pytest.mark.parametrize("host", [None, *MALFORMED_HOSTS.values()], ids=["none", *MALFORMED_HOSTS])
def test_a_host_that_is_none_is_refused(site: Site, host: str | None) -> None:
    """RFC 9112 section 3.2: 400, and nothing is stored."""
    answer = site.send(request(ARTICLE, host=host))
    assert answer.status == 400
    assert answer.headers["Cache-Control"] == "no-store"
    assert_secure(answer)
    assert site.count() == 0


def test_an_old_client_needs_no_host(site: Site, innocent: dict[str, Answer]) -> None:
    """HTTP/1.0 gets the same page, and shares it."""
    old = site.send(request(ARTICLE, host=None, version="HTTP/1.0"))
    assert old.page == innocent[ARTICLE].page
    assert "; hit" in site.ask(ARTICLE).cache_status


BROKEN = {
    "a control character": request(ARTICLE, b"X-Evil: evil-7f3a\x01"),
    "NUL": request(ARTICLE, b"X-Evil: evil-7f3a\x00"),
    "a bare return": request(ARTICLE, b"X-Evil: a\revil-7f3a"),
    "a bare line break": request(ARTICLE, b"X-Evil: a\nX-More: evil-7f3a"),
    "a folded line": request(ARTICLE, b"X-Evil: a\r\n evil-7f3a"),
    "a space before the colon": request(ARTICLE, b"Content-Length : 5"),
    "no name": request(ARTICLE, b": evil-7f3a"),
    "no colon": request(ARTICLE, b"evil-7f3a"),
    "sixty-four kilobytes in one": request(ARTICLE, f"X-Evil: {LONG}"),
    "sixty-four kilobytes of cookies": request(ARTICLE, f"Cookie: {LONG}"),
    "too many fields": request(ARTICLE, *(f"X-{n}: a" for n in range(150))),
    "two hosts": request(ARTICLE, "Host: evil-7f3a.example"),
    "a length and chunks": request(
        ARTICLE, "Transfer-Encoding: chunked", "Content-Length: 5", content=b"0\r\n\r\n"
    ),
    "a length and chunks of a POST": request(
        ARTICLE, "Transfer-Encoding: chunked", "Content-Length: 5", method="POST"
    ),
    "chunks twice": request(ARTICLE, *("Transfer-Encoding: chunked",) * 2),
    "an unknown transfer": request(ARTICLE, "Transfer-Encoding: xchunked"),
    "two lengths": request(ARTICLE, "Content-Length: 1", "Content-Length: 2"),
    "a length below zero": request(ARTICLE, "Content-Length: -1"),
    "a length with a sign": request(ARTICLE, "Content-Length: +1"),
    "an unknown expectation": request(ARTICLE, "Expect: evil-7f3a"),
    "no version": b"GET /about\r\n\r\n",
    "a version to come": request(ARTICLE, version="HTTP/9.9"),
    "HTTP/2 untold": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method in small letters": request(ARTICLE, method="get"),
    "a method with NUL": request(ARTICLE, method=b"G\x00T"),
    "no path": request("about"),
    "bare bytes in the path": request(b"/caf\xc3\xa9"),
    "bare bytes in the query": request(b"/about?a=\xff"),
    "a very long line": request(f"/{LONG}"),
    "a proxy's greeting": b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n" + request(ARTICLE),
    "all bytes": bytes(range(256)) + b"\r\n\r\n",
}


BROKEN_STATUSES = {
    "a very long line": 414,
    "an unknown expectation": 417,
    "sixty-four kilobytes in one": 431,
    "sixty-four kilobytes of cookies": 431,
    "too many fields": 431,
    "an unknown transfer": 501,
}
"""The status of each refusal that is not a 400."""


@pytest.mark.parametrize(("name", "data"), BROKEN.items(), ids=BROKEN)
def test_what_is_no_http_is_refused_by_the_server(
    site: Site, innocent: dict[str, Answer], name: str, data: bytes
) -> None:
    """With one 4xx or 501, that nobody stores, sniffs or frames; the next page is sound."""
    answers = raw_http.answers(raw_http.send(site.port, data))
    assert len(answers) == 1
    assert answers[0].status == BROKEN_STATUSES.get(name, 400)
    assert answers[0].headers["Cache-Control"] == "no-store"
    assert_secure(answers[0])
    assert site.count() == 0
    assert site.ask(ARTICLE).page == innocent[ARTICLE].page


def test_no_request_hides_in_another(site: Site, innocent: dict[str, Answer]) -> None:
    """What follows a body is not answered where the body's end is in doubt."""
    inner_request = request(f"/{MARK}")
    framing_fields = "Transfer-Encoding: chunked", "Content-Length: 5"
    for smuggled in (
        request(ARTICLE, *framing_fields, content=b"0\r\n\r\n" + inner_request, close=False),
        request(ARTICLE, "Content-Length: 0", "Content-Length: 9", content=inner_request),
        request(ARTICLE, "Transfer-Encoding: chunked\x0b", content=b"0\r\n\r\n" + inner_request),
    ):
        assert len(raw_http.answers(raw_http.send(site.port, smuggled))) == 1
    assert_nothing_stored_of(site)
    assert site.ask(ARTICLE).page == innocent[ARTICLE].page


def test_a_get_with_a_body_is_answered_apart(site: Site, innocent: dict[str, Answer]) -> None:
    """From no store and into none: the key does not know the body."""
    body = f"q={MARK}".encode()
    answer = site.send(request(ARTICLE, f"Content-Length: {len(body)}", content=body))
    assert (answer.status, answer.body) == (200, innocent[ARTICLE].body)
    assert "detail=body" in answer.cache_status
    assert site.count() == 0


def keep_alive(port: int, requests: Iterator[bytes]) -> list[int]:
    """The statuses of many requests on one connection, one after the other."""
    statuses = []
    with socket.create_connection(("127.0.0.1", port), timeout=raw_http.PATIENCE) as link:
        stream = link.makefile("rb")
        for data in requests:
            link.sendall(data)
            statuses.append(int(stream.readline().split()[1]))
            while stream.readline().strip():
                """The rest of the head."""
    return statuses


def test_ten_thousand_codings_make_one_variant(site: Site, innocent: dict[str, Answer]) -> None:
    """Where a page varies, a reader's words are reduced to what there is to choose from."""
    head = f"HEAD {ARTICLE} HTTP/1.1\r\nHost: a.example\r\nAccept-Encoding: "
    site.ask(ARTICLE)
    variants = (f"{head}x{n}, br;q=0.{n}\r\n\r\n".encode() for n in range(10_000))
    assert set(keep_alive(site.port, variants)) == {200}
    with site.stored() as store:
        stats = store.stats()
        assert stats is not None
        assert (stats.pages, stats.variants) == (1, 1)
    assert site.ask(ARTICLE).page == innocent[ARTICLE].page
