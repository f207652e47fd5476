"""The gateway as WSGI middleware, against hostile clients and faulty applications."""

from __future__ import annotations

import sys
from contextlib import closing
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from app.edge.gateway.options import Options
from tests.edge.gateway.raw import ROOT, RawClient, ask, free_port
from tests.edge.gateway.scripted_origin import Fields, Stage, environ_for, get, ignore_start, says
from tests.edge.gateway.sloppy_app import FIELDS, LENGTHS
from tests.edge.gateway.socket_origin import wait_for
from tests.live.run_folder import RUN

if TYPE_CHECKING:
    from collections.abc import Iterator

LONG: Fields = {"cache_control": "max-age=3600"}
NUMBERS = count(1)
WAYS = ["list", "generator", "write"]


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Run gunicorn with threads, with a gateway around the faulty application."""
    work_folder = tmp_path_factory.mktemp("gunicorn")  # the site has a gunicorn.conf.py of its own
    port = free_port()
    words = [sys.executable, "-m", "gunicorn", "tests.edge.gateway.sloppy_app:gateway"]
    words += ["--bind", f"127.0.0.1:{port}", "--threads", "4", "--log-level", "critical"]
    words += ["--no-control-socket", "--pythonpath", str(ROOT)]
    process = RUN.start(words, cwd=work_folder)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.live
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("row", LENGTHS)
def test_a_wrong_length_never_swallows_the_next_response(
    port: int, row: str, way: str, method: str
) -> None:
    """RFC 9112 section 6.3: the body has the right end or the connection ends; nothing is stored."""
    path = f"/{next(NUMBERS)}-{way}/{row}"
    with RawClient(port) as client:
        first = client.ask(path, "Content-Length: 0", method=method)
        assert first.body == b"" or first.body.startswith(b"hello")
        client.try_ask("/next")
        second = client.read()
        assert second is None or second.body == b"page"
        assert second is None or first.complete
    if row != "a-204":
        assert ask(port, path).body == b"page"


@pytest.mark.live
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("row", FIELDS)
def test_what_no_server_can_send_is_not_stored(port: int, row: str, way: str) -> None:
    """RFC 9110 section 5.5: the next reader gets the next page, not the error of the first."""
    path = f"/{next(NUMBERS)}-{way}/{row}"
    with closing(RawClient(port)) as client:
        client.try_ask(path)
        first = client.read()
    assert first is None or first.value("Set-Cookie") is None
    second = ask(port, path)
    assert (second.status, second.body) == (200, b"page")
    assert "hit" in ask(port, path).cache


# Connection


def origin_header(stage: Stage, name: str) -> str | None:
    """Return a field of the last request as the application saw it."""
    value: str | None = stage.origin.environs[-1].get("HTTP_" + name.upper().replace("-", "_"))
    return value


@pytest.mark.parametrize("options", [Options(), Options.shield()], ids=["cache", "shield"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_application_reads_the_same_request_as_the_gateway(
    options: Options, method: str
) -> None:
    """RFC 9110 section 7.6.1: fields that Connection lists are removed first."""
    stage = Stage(options)
    headers = {
        "Connection": "x-a, Accept-Language",
        "X-A": "1",
        "Accept-Language": "de",
        "X-B": "2",
    }
    stage.play(get(says(vary="Accept-Language", **LONG), headers=headers, method=method))
    assert (
        origin_header(stage, "X-A"),
        origin_header(stage, "Accept-Language"),
        origin_header(stage, "X-B"),
    ) == (
        None,
        None,
        "2",
    )


def test_a_variant_is_what_the_application_saw() -> None:
    """The default page is not stored as the variant of a language."""
    stage = Stage()
    headers = {"Connection": "accept-language", "Accept-Language": "de"}
    stage.play(get(says(b"default", vary="Accept-Language", **LONG), headers=headers))
    german = says(b"deutsch", vary="Accept-Language", **LONG)
    stage.play(get(german, headers={"Accept-Language": "de"}, body=b"deutsch"))
    stage.play(get(body=b"default", cache="hit"))


PROTECTED = {
    "Host": "example.org",
    "Via": "1.0 a",
    "CDN-Loop": "a",
    "Cache-Control": "max-age=0",
    "Content-Encoding": "x-a",
    "Forwarded": "for=10.0.0.1",
    "X-Forwarded-For": "10.0.0.1",
    "X-Forwarded-Proto": "https",
}


@pytest.mark.parametrize("name", PROTECTED)
def test_connection_does_not_remove_what_is_for_all(name: str) -> None:
    """Fields for framing, routing, restrictions and the source stay."""
    stage = Stage()
    headers = {name: PROTECTED[name], "Connection": f"close, {name.upper()}"}
    stage.play(get(says(), method="POST", content=b"body", headers=headers))
    assert origin_header(stage, name) == PROTECTED[name]
    assert stage.origin.environs[-1]["CONTENT_LENGTH"] == "4"


def test_an_upgrade_reaches_the_application() -> None:
    """A websocket belongs to this hop, and the application is its end."""
    stage = Stage()
    headers = {"Connection": "Upgrade", "Upgrade": "websocket"}
    stage.play(get(says(), headers=headers, cache="fwd=bypass; detail=websocket"))
    assert origin_header(stage, "Upgrade") == "websocket"


@pytest.mark.parametrize("name", ["TE", "Upgrade", "Proxy-Authorization", "Keep-Alive"])
def test_a_shared_page_is_made_without_fields_of_the_hop(name: str) -> None:
    """Hop-by-hop fields must not influence a shared page."""
    stage = Stage()
    stage.play(
        get(says(b"one", vary=name, **LONG), headers={name: "a"}, origin_headers={name: None})
    )
    stage.play(get(headers={name: "b"}, body=b"one", cache="hit"))


# responses to one request

CONDITIONS = {
    "If-None-Match": '"x"',
    "If-Modified-Since": "Sun, 06 Nov 1994 08:49:37 GMT",
    "Range": "bytes=999-",
    "If-Range": '"x"',
}


@pytest.mark.parametrize("status", [200, 206, 304, 404, 412, 416, 500])
@pytest.mark.parametrize("name", CONDITIONS)
def test_the_answer_to_the_readers_own_condition_is_not_stored(name: str, status: int) -> None:
    """After a response that was not shared, the application sees the conditions of its reader."""
    stage = Stage()
    stage.play(get(says(b"mine", cache_control="no-store")))
    answer = says(b"" if status == 304 else b"conditional", status=status, **LONG)
    headers = {name: CONDITIONS[name]}
    stage.play(get(answer, headers=headers, status=status, origin_headers=headers, stored=False))
    stage.play(get(says(b"page", **LONG), body=b"page", stored=True))
    stage.play(get(body=b"page", cache="hit"))


def test_readers_with_conditions_do_not_keep_a_page_from_being_shared() -> None:
    """Once the response might be shared, the next one is fetched without conditions."""
    stage = Stage()
    stage.play(get(says(b"mine", cache_control="no-store")))
    headers = {"If-None-Match": '"x"'}
    page = says(b"page", etag='"a"', **LONG)
    stage.play(get(page, headers=headers, cache="fwd=uri-miss; detail=conditional"))
    stage.play(get(page, headers=headers, origin_headers={"If-None-Match": None}, stored=True))
    stage.play(get(headers=headers, body=b"page", cache="hit"))


def test_a_large_file_is_never_fetched_whole_for_a_part_of_it() -> None:
    """A file that is too large to store gets its Range from the application."""
    stage = Stage(Options(max_body_size=10))
    video = says(b"x" * 20, length=20, etag='"a"', **LONG)
    stage.play(get(video, cache="fwd=uri-miss; detail=too-large"))
    stage.play(get(video, headers={"If-None-Match": '"x"'}, cache="fwd=uri-miss; detail=too-large"))
    part = {"Range": "bytes=0-1"}
    stage.play(get(says(b"xx", status=206, **LONG), headers=part, status=206, origin_headers=part))


# heuristics

OLD = "Sun, 06 Nov 1993 08:49:37 GMT"
GUESSING = Options(heuristic_fraction=0.1)


@pytest.mark.parametrize("headers", [{"Cookie": "a=b"}, {"Authorization": "Basic YTpi"}])
@pytest.mark.parametrize("control", ["", "must-revalidate", "no-transform"])
def test_nobodys_own_page_is_fresh_by_a_guess(headers: dict[str, str], control: str) -> None:
    """A heuristic lifetime is allowed (RFC 9111 section 4.2.2), not required."""
    stage = Stage(GUESSING)
    answer = says(b"mine", last_modified=OLD, cache_control=control)
    stage.play(get(answer, headers=headers, stored=False))
    stage.play(get(says(b"yours"), body=b"yours"))


def test_public_without_a_lifetime_is_no_guess_for_a_cookie() -> None:
    """It may be stored, and is validated before it is used."""
    stage = Stage(GUESSING)
    answer = says(b"page", last_modified=OLD, cache_control="public")
    stage.play(get(answer, headers={"Cookie": "a=b"}))
    stage.play(get(says(b"new"), body=b"new", cache="fwd=stale"))


def test_a_confirmation_for_a_cookie_makes_nothing_fresh_by_a_guess() -> None:
    """A 304 to one reader gives no lifetime for others."""
    stage = Stage(GUESSING)
    stage.play(get(says(b"page", last_modified=OLD, etag='"a"'), stored=True))
    far = 86_400 * 40
    confirmed = says(status=304, last_modified=OLD, etag='"a"')
    stage.play(get(confirmed, at=far, headers={"Cookie": "a=b"}, body=b"page"))
    stage.play(get(says(b"new"), at=far + 1, body=b"new"))


def test_a_cookie_that_the_origin_never_sees_makes_no_difference() -> None:
    """If the cookie is withheld, the page may be shared."""
    stage = Stage(Options(heuristic_fraction=0.1, allowed_fields=frozenset({"accept"})))
    stage.play(get(says(b"page", last_modified=OLD), headers={"Cookie": "a=b"}, stored=True))
    stage.play(get(body=b"page", cache="hit"))


def test_all_lists_of_tracking_parameters_are_one() -> None:
    """Pages that are one page in the index are one page in the gateway."""
    stage = Stage(Options.shield(site="http://example.org"))
    stage.play(get(says(b"page", **LONG)))
    for name in ("utm_x", "_gl", "igshid", "ttclid", "gbraid", "wbraid", "twclid", "yclid"):
        stage.play(get(target=f"/?{name}=1", body=b"page", cache="hit"))


def test_a_file_stays_the_servers_to_send() -> None:
    """The server recognises its file wrapper, also with a Content-Length."""

    class Wrapper(list[bytes]):
        pass

    def app(_environ: dict[str, Any], start_response: Any) -> Wrapper:
        start_response("200 OK", [("Content-Length", "1"), ("Cache-Control", "no-store")])
        return Wrapper([b"a"])

    for method in ("GET", "POST"):
        environ = {**environ_for(get(method=method)), "wsgi.file_wrapper": Wrapper}
        stage = Stage(app=app)
        assert type(stage.gateway(environ, ignore_start)) is Wrapper
