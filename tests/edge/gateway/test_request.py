"""Requests as the gateway reads them: what bypasses it, what the origin and the key see."""

from __future__ import annotations

from typing import Any

import pytest

from app.edge.gateway.options import Options
from app.edge.gateway.request import CacheKeyBuilder, Request, build_refill_environ
from app.edge.http.cache_key import build_cache_key
from tests.edge.gateway.scripted_origin import environ_for, get


def request(options: Options | None = None, /, **changes: Any) -> Request:
    """Return the request for an environ with these values; None removes one."""
    environ = {**environ_for(get()), **changes}
    present = {name: value for name, value in environ.items() if value is not None}
    options = options or Options()
    return Request(present, options, CacheKeyBuilder(options))


BYPASSED: list[tuple[dict[str, str], str | None]] = [
    ({}, None),
    ({"SCRIPT_NAME": "/a"}, "mount"),
    ({"CONTENT_LENGTH": "1"}, "body"),
    ({"CONTENT_LENGTH": "0"}, None),
    ({"CONTENT_LENGTH": ""}, None),
    ({"CONTENT_LENGTH": "00"}, "body"),
    ({"HTTP_TRANSFER_ENCODING": "chunked"}, "body"),
    ({"HTTP_IF_MATCH": '"a"'}, "precondition"),
    ({"HTTP_IF_UNMODIFIED_SINCE": "x"}, "precondition"),
    ({"HTTP_IF": "(<a>)"}, "precondition"),
    ({"HTTP_IF_SCHEDULE_TAG_MATCH": '"a"'}, "precondition"),
    ({"HTTP_UPGRADE": "websocket"}, "websocket"),
    ({"HTTP_UPGRADE": "h2c, WebSocket"}, "websocket"),
    ({"HTTP_UPGRADE": "h2c"}, None),
    ({"HTTP_HOST": "a b"}, "unkeyable"),
    ({"PATH_INFO": "no slash"}, "unkeyable"),
]


@pytest.mark.parametrize(("changes", "reason"), BYPASSED)
def test_some_requests_bypass_the_cache(changes: dict[str, str], reason: str | None) -> None:
    """They have no key, and Cache-Status gives the reason."""
    parsed_request = request(None, **changes)
    assert parsed_request.bypass_reason == reason
    assert (parsed_request.key is None) is (reason is not None)


@pytest.mark.parametrize(("path", "bypasses"), [("/private/a", True), ("/a", False)])
def test_configured_paths_bypass_the_cache(path: str, bypasses: bool) -> None:
    """The function of the options decides by the path."""
    options = Options(bypasses=lambda path: path.startswith("/private/"))
    parsed_request = request(options, PATH_INFO=path)
    assert parsed_request.bypass_reason == ("configured" if bypasses else None)


CREDENTIALS: list[tuple[dict[str, str], bool, bool]] = [
    ({}, False, False),
    ({"HTTP_AUTHORIZATION": "a"}, True, True),
    ({"HTTP_AUTHORIZATION": ""}, True, True),
    ({"REMOTE_USER": "a"}, True, True),
    ({"REMOTE_USER": ""}, False, False),
    ({"HTTP_COOKIE": "a=b"}, False, True),
    ({"HTTP_COOKIE": ""}, False, False),
]


@pytest.mark.parametrize(("changes", "has_credentials", "personal"), CREDENTIALS)
def test_a_cookie_or_credentials_make_a_request_personal(
    changes: dict[str, str], has_credentials: bool, personal: bool
) -> None:
    """RFC 9111 section 3.5, and the users that a server has authenticated."""
    parsed_request = request(None, **changes)
    assert (parsed_request.has_credentials, parsed_request.personal) == (has_credentials, personal)


def test_a_cookie_that_the_origin_does_not_see_is_not_personal() -> None:
    """The response can't depend on it."""
    for options in (
        Options(allowed_fields=frozenset({"accept"})),
        Options(withheld_fields=frozenset({"cookie"})),
    ):
        assert not request(options, HTTP_COOKIE="a=b").personal


ALIASES: list[tuple[dict[str, str], bool]] = [
    ({"PATH_INFO": "/a"}, False),
    ({"PATH_INFO": "/a", "RAW_URI": "/a", "REQUEST_URI": "/%61"}, False),
    ({"PATH_INFO": "/a", "RAW_URI": "/%61"}, True),
    ({"PATH_INFO": "/a", "REQUEST_URI": "/%61"}, True),
    ({"PATH_INFO": "/a", "QUERY_STRING": "utm_id=1"}, True),
    ({"PATH_INFO": "/a", "QUERY_STRING": "b=c"}, False),
    ({"PATH_INFO": "/a*"}, True),
]


@pytest.mark.parametrize(("changes", "is_alias"), ALIASES)
def test_a_url_is_an_alias_if_caches_can_write_it_in_another_way(
    changes: dict[str, str], is_alias: bool
) -> None:
    """A purge of the page's URL might miss a copy under this one."""
    options = Options(ignored_parameters=("utm_*",))
    assert request(options, **changes).is_alias_url is is_alias


SEEN: list[tuple[Options, str, str | None]] = [
    (Options(), "HTTP_ACCEPT_LANGUAGE", "x"),
    (Options(), "HTTP_X_FORWARDED_HOST", None),
    (Options(), "HTTP_IF_NONE_MATCH", None),
    (Options(), "HTTP_RANGE", None),
    (Options(), "HTTP_TE", None),
    (Options(), "HTTP_ACCEPT_ENCODING", "x"),
    (Options(compress=True), "HTTP_ACCEPT_ENCODING", None),
    (Options(), "HTTP_CACHE_CONTROL", "x"),
    (Options.shield(), "HTTP_CACHE_CONTROL", None),
    (Options.shield(), "HTTP_PRAGMA", None),
    (Options(allowed_fields=frozenset({"accept"})), "HTTP_ACCEPT", "x"),
    (Options(allowed_fields=frozenset({"accept"})), "HTTP_ACCEPT_LANGUAGE", None),
    (Options(allowed_fields=frozenset({"range"})), "HTTP_RANGE", None),
    (Options(allowed_fields=frozenset({"te"})), "HTTP_TE", None),
    (Options(allowed_fields=frozenset({"x-host"})), "HTTP_X_HOST", None),
]


@pytest.mark.parametrize(("options", "variable", "value"), SEEN)
def test_a_variant_is_selected_by_what_the_origin_sees(
    options: Options, variable: str, value: str | None
) -> None:
    """Vary is evaluated on the same fields that reach the application."""
    parsed_request = request(options, **{variable: "x"})
    assert parsed_request.header_for_origin(variable[5:].replace("_", "-").lower()) == value
    assert parsed_request.environ_for_origin().get(variable) == value


def test_the_readers_conditions_reach_the_origin_for_this_reader_only() -> None:
    """Other fields are withheld in any case."""
    parsed_request = request(
        HTTP_RANGE="bytes=0-1", HTTP_X_FORWARDED_HOST="evil", HTTP_TE="trailers"
    )
    environ = parsed_request.environ_for_origin(conditions=True)
    assert environ["HTTP_RANGE"] == "bytes=0-1"
    assert not {"HTTP_X_FORWARDED_HOST", "HTTP_TE"} & environ.keys()


def test_the_origin_sees_the_site_and_the_query_of_the_key() -> None:
    """Not the Host, the parameters or the raw target of this reader."""
    options = Options(site="https://example.org", ignored_parameters=("utm_*",))
    changes = {"HTTP_HOST": "evil.example", "QUERY_STRING": "utm_id=1&a=b", "RAW_URI": "/x?y"}
    environ = request(options, **changes, CONTENT_TYPE="text/x").environ_for_origin()
    assert environ["wsgi.url_scheme"] == "https"
    assert (environ["HTTP_HOST"], environ["QUERY_STRING"]) == ("example.org", "a=b")
    assert not {"RAW_URI", "CONTENT_TYPE", "CONTENT_LENGTH"} & environ.keys()
    assert environ["wsgi.input"].read() == b""


CODINGS: list[tuple[str, str | None, str | None]] = [
    ("/own/a", "gzip, br", "br"),
    ("/own/a", "gzip", "gzip"),
    ("/own/a", "br;q=0, gzip;q=0", "identity"),
    ("/own/a", None, "identity"),
    ("/a", "gzip, br", None),
]


@pytest.mark.parametrize(("path", "accept_encoding", "coding"), CODINGS)
def test_an_origin_that_compresses_is_asked_for_one_coding(
    path: str, accept_encoding: str | None, coding: str | None
) -> None:
    """Each coding is then a variant; for all other paths the gateway compresses."""
    options = Options(compress=True, is_encoded_by_origin=lambda path: path.startswith("/own/"))
    parsed_request = request(options, PATH_INFO=path, HTTP_ACCEPT_ENCODING=accept_encoding)
    assert parsed_request.origin_coding == coding
    assert parsed_request.header_for_origin("accept-encoding") == coding
    assert parsed_request.header_for_origin("accept-language") is None
    assert parsed_request.environ_for_origin().get("HTTP_ACCEPT_ENCODING") == coding


@pytest.mark.parametrize("length", [0, 180, 181, 199, 200, 201, 500])
@pytest.mark.parametrize("name", ["HTTP_CACHE_CONTROL", "HTTP_PRAGMA"])
def test_directives_of_any_length_are_parsed(name: str, length: int) -> None:
    """Only short ones are cached."""
    changes = {name: "no-cache" + "".join([", x"] * (length // 3))}
    for _ in range(2):
        assert "no-cache" in request(None, **changes).directives
        assert "no-cache" not in request(Options.shield(), **changes).directives
    assert not list(request().directives)


REFILLED: list[tuple[tuple[str, str, str], str, dict[str, str]]] = [
    (
        ("http://example.org", "/a", ""),
        "",
        {"SERVER_NAME": "example.org", "SERVER_PORT": "80", "HTTP_HOST": "example.org"},
    ),
    (("https://example.org", "/a", "b=c"), "", {"SERVER_PORT": "443", "QUERY_STRING": "b=c"}),
    (
        ("https://example.org:8443", "/a", ""),
        "",
        {"SERVER_PORT": "8443", "HTTP_HOST": "example.org:8443"},
    ),
    (
        ("http://example.org", "/blog/a", ""),
        "/blog",
        {"SCRIPT_NAME": "/blog", "PATH_INFO": "/a"},
    ),
]


@pytest.mark.parametrize(("page", "mount", "values"), REFILLED)
def test_a_refill_requests_the_page_of_its_key(
    page: tuple[str, str, str], mount: str, values: dict[str, str]
) -> None:
    """The key of the request is the key itself."""
    key = build_cache_key(*page)
    assert key is not None
    options = Options(mount=mount)
    environ = build_refill_environ(key, options)
    assert {name: environ[name] for name in values} == values
    assert (environ["wsgi.version"], environ["SERVER_PROTOCOL"]) == ((1, 0), "HTTP/1.1")
    assert environ["HTTP_ACCEPT_ENCODING"] == "br, gzip"
    assert Request(environ, options, CacheKeyBuilder(options)).key == key


def test_a_request_without_host_is_for_the_server() -> None:
    """HTTP/1.0 allows that."""
    parsed_request = request(HTTP_HOST=None, SERVER_NAME="example.com", SERVER_PORT="81")
    assert parsed_request.site == "http://example.com:81"


URLS = [
    ("https://example.org", "/a", "https://example.org/a"),
    ("https://example.org", "https://example.com/a", "https://example.com/a"),
    (None, "https://example.com/a", "https://example.com/a"),
]


@pytest.mark.parametrize(("site", "url", "values"), URLS)
def test_a_path_is_a_url_of_the_site(site: str | None, url: str, values: str) -> None:
    """An absolute URL stays as it is."""
    builder = CacheKeyBuilder(Options(site=site))
    assert builder.for_url(url) == CacheKeyBuilder(Options()).for_url(values)


@pytest.mark.parametrize(
    ("site", "url"), [("https://example.org", "//example.com/a"), (None, "/a")]
)
def test_a_url_without_its_scheme_or_site_is_an_error(site: str | None, url: str) -> None:
    """`//host/path` is no path of the site."""
    with pytest.raises(ValueError, match="URL"):
        CacheKeyBuilder(Options(site=site)).for_url(url)


def test_a_request_in_the_background_is_a_get_without_the_connection() -> None:
    """It keeps text and the standard objects, and has no directives."""
    options = Options()
    parsed_request = request(
        options,
        REQUEST_METHOD="HEAD",
        HTTP_CACHE_CONTROL="no-store",
        **{"server.socket": object(), "server.text": "a"},
    )
    background = parsed_request.detach(CacheKeyBuilder(options))
    assert background.environ["REQUEST_METHOD"] == "GET"
    assert not list(background.directives)
    assert "server.socket" not in background.environ
    assert background.environ["server.text"] == "a"
    standard = {name for name in environ_for(get()) if name.startswith("wsgi.")}
    assert standard <= background.environ.keys()
    assert background.key == parsed_request.key
