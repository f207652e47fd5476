"""Requests that the standalone server rejects, and the environ of a request that it forwards."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.admission import Admission
from tests.edge.gateway.scripted_origin import call, environ_for, get

if TYPE_CHECKING:
    from collections.abc import Iterable

TOKEN = "broadsheet-0123456789abcdef"


class Recorder:
    """An application that records the environ of the request that it gets."""

    environ: dict[str, Any] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer 200."""
        self.environ = dict(environ)
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [b"ok"]


def ask(changes: dict[str, str | None], method: str = "GET") -> tuple[Any, dict[str, Any] | None]:
    """Send a request with these environ values; None removes one."""
    app = Recorder()
    admission = Admission(app, token=TOKEN)

    def app_with_changes(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        for name, value in changes.items():
            if value is None:
                environ.pop(name, None)
            else:
                environ[name] = value
        return admission(environ, start_response)

    return call(app_with_changes, get(method=method)), app.environ


REJECTED: dict[str, tuple[dict[str, str | None], str]] = {
    "no Host": ({"HTTP_HOST": None}, "The Host header is missing."),
    "no Host in HTTP/1.1": (
        {"HTTP_HOST": None, "SERVER_PROTOCOL": "HTTP/1.1"},
        "The Host header is missing.",
    ),
    "a bad Host": ({"HTTP_HOST": "a b"}, "The Host header is not a valid host."),
    "an empty Host": ({"HTTP_HOST": ""}, "The Host header is not a valid host."),
    "a bad Host of HTTP/1.0": (
        {"HTTP_HOST": "a@b", "SERVER_PROTOCOL": "HTTP/1.0"},
        "The Host header is not a valid host.",
    ),
    "a fragment": ({"RAW_URI": "/a#b"}, "The request target must not contain a fragment."),
    "a bad authority": (
        {"RAW_URI": "http://a@b/"},
        "The request target does not contain a valid host.",
    ),
    "an empty authority": (
        {"RAW_URI": "http:///a"},
        "The request target does not contain a valid host.",
    ),
    "no path": (
        {"RAW_URI": "a"},
        "The request target is neither a path nor an http or https URL.",
    ),
    "a star of another method": (
        {"RAW_URI": "*"},
        "The request target is neither a path nor an http or https URL.",
    ),
    "another scheme": (
        {"RAW_URI": "ftp://a/b"},
        "The request target is neither a path nor an http or https URL.",
    ),
    "another coding": (
        {"HTTP_TRANSFER_ENCODING": "gzip"},
        "The request has a transfer coding other than chunked.",
    ),
    "two codings": (
        {"HTTP_TRANSFER_ENCODING": "gzip, chunked"},
        "The request has a transfer coding other than chunked.",
    ),
}


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize(("changes", "sentence"), REJECTED.values(), ids=REJECTED)
def test_an_invalid_request_is_a_400(
    changes: dict[str, str | None], sentence: str, method: str
) -> None:
    """It reaches no origin; the answer is not stored, and a HEAD has no body."""
    answer, environ = ask(changes, method)
    assert (answer.status, environ) == (400, None)
    assert answer.body.decode() == ("" if method == "HEAD" else f"{sentence}\n")
    assert answer.header("Cache-Control") == "no-store"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_request_that_has_looped_is_a_508(method: str, caplog: pytest.LogCaptureFixture) -> None:
    """The log says what to do."""
    answer, environ = ask({"HTTP_CDN_LOOP": TOKEN}, method)
    assert (answer.status, environ) == (508, None)
    assert bool(answer.body) is (method == "GET")
    assert "gateway.loop" in caplog.text


FORWARDED: list[tuple[dict[str, str | None], dict[str, str | None]]] = [
    ({}, {"HTTP_HOST": "example.org", "PATH_INFO": "/"}),
    ({"HTTP_HOST": None, "SERVER_PROTOCOL": "HTTP/1.0"}, {"PATH_INFO": "/"}),
    ({"RAW_URI": "/a%2Fb"}, {"PATH_INFO": "/a%2Fb", "QUERY_STRING": ""}),
    ({"RAW_URI": "/a?b=c", "PATH_INFO": "/x"}, {"PATH_INFO": "/a", "QUERY_STRING": "b=c"}),
    ({"RAW_URI": "/a", "QUERY_STRING": "old"}, {"PATH_INFO": "/a", "QUERY_STRING": ""}),
    (
        {"RAW_URI": "http://example.com:81/a?b"},
        {"HTTP_HOST": "example.com:81", "PATH_INFO": "/a", "QUERY_STRING": "b"},
    ),
    ({"RAW_URI": "", "PATH_INFO": "/x"}, {"PATH_INFO": "/x"}),
    ({"HTTP_TRANSFER_ENCODING": " Chunked\t"}, {"PATH_INFO": "/"}),
    ({"HTTP_CDN_LOOP": "cloudflare"}, {"PATH_INFO": "/"}),
]


@pytest.mark.parametrize(("changes", "values"), FORWARDED)
def test_a_valid_request_is_forwarded(
    changes: dict[str, str | None], values: dict[str, str | None]
) -> None:
    """The raw target decides on path, query and host."""
    answer, environ = ask(changes)
    assert (answer.status, answer.body) == (200, b"ok")
    assert environ is not None
    assert {name: environ.get(name) for name in values} == values


@pytest.mark.parametrize(("raw", "path"), [("*", "/x"), ("/a", "/a"), ("http://b/*", "/*")])
def test_a_star_is_the_target_of_options_alone(raw: str, path: str) -> None:
    """RFC 9112 section 3.2.4: the path stays as the server has set it."""
    app = Recorder()
    environ = {**environ_for(get(method="OPTIONS", target="/x")), "RAW_URI": raw}
    list(Admission(app, token=TOKEN)(environ, lambda *_: bytes))
    assert app.environ is not None
    assert app.environ["PATH_INFO"] == path
