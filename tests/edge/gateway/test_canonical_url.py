from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.edge.gateway import canonical_url
from app.edge.gateway.canonical_url import (
    MAX_TARGET_LENGTH,
    CanonicalTarget,
    CanonicalUrlMiddleware,
    InvalidTarget,
    RedirectTarget,
    check_target,
    raw_target,
)
from tests.edge.gateway.scripted_origin import ignore_start


def utf8(text: str) -> str:
    """Return text as a server passes its UTF-8 bytes."""
    return text.encode().decode("latin-1")


SAME = [
    "/",
    "",
    "/a/b",
    "/a/",
    "/a.b-c_d~e",
    "/a;b=c",
    "/a:b@c",
    "/%C3%A9",
    "/a%20b",
    "/a?x=1&y=%zz",
    "/?q=/../x//y",
    "?q=x",
    "/a?u=http://x.example//y",
    "/?q=a://b",
    "/a?http://h",
    "/a?x?y",
    "http://example.com",
    "http://example.com?b",
    "http://example.com/a?b",
    "HTTP://example.com/a",
    "https://example.com:8443/a",
    "http://[::1]:80/a",
    "http://example.com/a?u=http://x/",
]


@pytest.mark.parametrize("target", SAME)
def test_a_proper_spelling_stands(target: str) -> None:
    """It reaches the application unchanged, also in absolute form (RFC 9112 section 3.2.2)."""
    assert check_target(target) == CanonicalTarget()


REDIRECTED = [
    ("//x", "/x"),
    ("//evil.com", "/evil.com"),
    ("///evil.com//x", "/evil.com/x"),
    ("/a//b", "/a/b"),
    ("/a///", "/a/"),
    ("/./a/../b", "/b"),
    ("/../../a", "/a"),
    ("/%2e%2e//evil.com", "/evil.com"),
    ("/.//evil.com", "/evil.com"),
    ("/a/..//evil.com", "/evil.com"),
    ("/%61", "/a"),
    ("/%7Ea", "/~a"),
    ("/a%3bb", "/a;b"),
    ("/%c3%a9", "/%C3%A9"),
    (utf8("/é"), "/%C3%A9"),
    ("/a|b", "/a%7Cb"),
    ("/a?", "/a"),
    (utf8("/a?q=é"), "/a?q=%C3%A9"),
    ("//a?x=1&y=2", "/a?x=1&y=2"),
    ("http://evil.com//x", "/x"),
    ("http:////evil.com/", "/evil.com/"),
    ("/http://h", "/http:/h"),
    ("/topics/http://x.example/ink", "/topics/http:/x.example/ink"),
    ("/%68ttp://h", "/http:/h"),
    ("//%2e://", "/.:/"),
    ("/a://b://c", "/a:/b:/c"),
    ("http://h/http://h/a", "/http:/h/a"),
    ("http://h//evil.com?u=a://b", "/evil.com?u=a://b"),
    ("https://h/%61", "/a"),
]


@pytest.mark.parametrize(("target", "to"), REDIRECTED)
def test_another_spelling_is_redirected_once(target: str, to: str) -> None:
    """The redirect leads to a path on this host that needs no further redirect."""
    assert check_target(target) == RedirectTarget(to=to)
    assert check_target(to) == CanonicalTarget()


REFUSED = [
    ("/%00", HTTPStatus.BAD_REQUEST),
    ("/a%0d%0aSet-Cookie:x", HTTPStatus.BAD_REQUEST),
    ("/%7f", HTTPStatus.BAD_REQUEST),
    ("/a b", HTTPStatus.BAD_REQUEST),
    ("/a?b\x01", HTTPStatus.BAD_REQUEST),
    ("/%zz", HTTPStatus.BAD_REQUEST),
    ("/%", HTTPStatus.BAD_REQUEST),
    ("/%ff", HTTPStatus.BAD_REQUEST),
    ("/\xff", HTTPStatus.BAD_REQUEST),
    ("/a#b", HTTPStatus.BAD_REQUEST),
    ("*", HTTPStatus.BAD_REQUEST),
    ("example.com:443", HTTPStatus.BAD_REQUEST),
    ("a/b", HTTPStatus.BAD_REQUEST),
    ("http:/a", HTTPStatus.BAD_REQUEST),
    ("://h/a", HTTPStatus.BAD_REQUEST),
    ("ftp://h/a", HTTPStatus.BAD_REQUEST),
    ("a://b/", HTTPStatus.BAD_REQUEST),
    ("/?q=a://\xff", HTTPStatus.BAD_REQUEST),
    ("http://h/\xff", HTTPStatus.BAD_REQUEST),
    ("http://h/?\xff", HTTPStatus.BAD_REQUEST),
    ("http://\xff/a", HTTPStatus.BAD_REQUEST),
    ("http://user@h/a", HTTPStatus.BAD_REQUEST),
    ("http://h:99999/", HTTPStatus.BAD_REQUEST),
    ("http://h,i/", HTTPStatus.BAD_REQUEST),
    ("http://h\\i/", HTTPStatus.BAD_REQUEST),
    ("http://h#a", HTTPStatus.BAD_REQUEST),
    ("http://h/%2f", HTTPStatus.NOT_FOUND),
    ("/%2f", HTTPStatus.NOT_FOUND),
    ("/a%2Fb", HTTPStatus.NOT_FOUND),
    ("/\\evil.com", HTTPStatus.NOT_FOUND),
    ("/%5cevil.com", HTTPStatus.NOT_FOUND),
    ("/" + "a" * MAX_TARGET_LENGTH, HTTPStatus.REQUEST_URI_TOO_LONG),
]


@pytest.mark.parametrize(
    ("target", "status"), REFUSED, ids=[repr(target[:20]) for target, _ in REFUSED]
)
def test_what_names_nothing_is_refused(target: str, status: HTTPStatus) -> None:
    """The response has an error status and one sentence."""
    verdict = check_target(target)
    assert isinstance(verdict, InvalidTarget)
    assert verdict.status == status
    assert verdict.reason.endswith(".")


PIECES = st.lists(
    st.sampled_from(
        ["/", "//", "://", ".", "..", "%2e", "%41", "%2B", "é", "a", "\\", "?", ":", "http:"]
    ),
    max_size=12,
).map(lambda pieces: utf8("/" + "".join(pieces)))


@given(st.one_of(PIECES, st.text(max_size=40).map(lambda text: utf8("/") + utf8_or_bytes(text))))
@example("/..//..//evil.com")
@example("//%2e://")
@example("/topics/http://x.example/ink")
def test_one_redirect_is_enough_and_never_names_a_host(target: str) -> None:
    """The target of every redirect is a canonical path."""
    verdict = check_target(target)
    if isinstance(verdict, RedirectTarget):
        assert check_target(verdict.to) == CanonicalTarget()
        assert verdict.to.startswith("/")
        assert not verdict.to.startswith(("//", "/\\"))
        assert verdict.to.isascii()
        assert verdict.to.isprintable()


def utf8_or_bytes(text: str) -> str:
    """Any text as latin-1 characters."""
    return text.encode("utf-8", "surrogatepass").decode("latin-1")


def ask(method: str = "GET", **environ: str) -> tuple[str, dict[str, str], bytes]:
    """Return the response of the middleware in front of an app that reports its path."""
    calls: list[tuple[str, list[tuple[str, str]]]] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"the app"]

    guarded = CanonicalUrlMiddleware(app, headers=[("X-Content-Type-Options", "nosniff")])
    body = guarded(
        {"REQUEST_METHOD": method, **environ},
        lambda status, headers, *_: calls.append((status, headers)),  # type: ignore[arg-type]  # returns no write()
    )
    status, headers = calls[0]
    return status, dict(headers), b"".join(body)


def test_a_proper_target_reaches_the_app() -> None:
    """The middleware does not change the request."""
    assert ask(RAW_URI="/a", PATH_INFO="/a") == ("200 OK", {}, b"the app")


def test_a_redirect_is_never_stored() -> None:
    """A cache that merges slashes first would store it under the URL that it leads to."""
    status, headers, body = ask(RAW_URI="//a?x=1", PATH_INFO="//a")
    assert status == "301 Moved Permanently"
    assert headers["Location"] == "/a?x=1"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert int(headers["Content-Length"]) == len(body)


def test_the_absolute_form_without_a_path_is_the_home_page() -> None:
    """A server leaves PATH_INFO empty, and an empty path has no cache key."""
    paths: list[str] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [])
        paths.append(environ["PATH_INFO"])
        return []

    environ = {"REQUEST_METHOD": "GET", "RAW_URI": "http://h?a", "PATH_INFO": ""}
    CanonicalUrlMiddleware(app)(environ, ignore_start)
    assert paths == ["/"]


def test_an_unsafe_request_keeps_its_method() -> None:
    """A 308 keeps the method POST."""
    assert ask("POST", RAW_URI="//a")[0] == "308 Permanent Redirect"


def test_a_refusal_has_no_body_for_head() -> None:
    """HEAD gets the headers of GET."""
    status, headers, body = ask("HEAD", RAW_URI="/%00")
    assert (status, body) == ("400 Bad Request", b"")
    assert int(headers["Content-Length"]) > 0


SOURCES = [
    ({"RAW_URI": "//a", "REQUEST_URI": "/b", "PATH_INFO": "/c"}, "//a"),
    ({"REQUEST_URI": "//b", "PATH_INFO": "/c"}, "//b"),
    ({"PATH_INFO": "//c", "QUERY_STRING": "d"}, "//c?d"),
    ({"PATH_INFO": utf8("/é%"), "QUERY_STRING": ""}, "/%C3%A9%25"),
    ({"SCRIPT_NAME": "/s", "PATH_INFO": "/c"}, "/s/c"),
]


@pytest.mark.parametrize(("environ", "target"), SOURCES)
def test_the_target_is_what_the_server_received(environ: dict[str, str], target: str) -> None:
    """Without RAW_URI it is rebuilt from path and query."""
    assert raw_target(environ) == target


@given(st.text("/.a~%?-", max_size=12))
def test_what_is_beyond_doubt_is_what_the_long_way_says(target: str) -> None:
    """The fast check accepts only targets that the full check accepts."""
    if canonical_url._PLAIN_PATH.fullmatch(target):
        canonical = canonical_url._path(target)
        assert canonical_url._find_error(target) is None
        assert canonical == target
