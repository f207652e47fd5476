"""What the options of `python -m app.edge.gateway` change, without starting its server."""

from __future__ import annotations

import socketserver
import time
from typing import TYPE_CHECKING, Any

import gunicorn.http.wsgi
import pytest

from app.edge.gateway.__main__ import build_server
from app.edge.http import dates
from tests.edge.gateway.scripted_origin import Clock, Received, call, get, says
from tests.edge.gateway.socket_origin import WireOrigin, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from app.edge.gateway.server import Server


@pytest.fixture(autouse=True)
def _restore_gunicorn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo the change of gunicorn's response class that a server makes."""
    monkeypatch.setattr(gunicorn.http.wsgi, "Response", gunicorn.http.wsgi.Response)


class Site:
    """An origin, and the gateway that the command line puts in front of it."""

    def __init__(self, port: int, origin: WireOrigin) -> None:
        self.origin = origin
        self.port = port
        self._gateways: dict[tuple[str, ...], Any] = {}

    def ask(self, *options: str, path: str = "/", **headers: str) -> Received:
        """Request a page through the gateway that has these options."""
        if options not in self._gateways:
            server = build_server([f"http://127.0.0.1:{self.port}", *options])
            self._gateways[options] = server.load()
        return call(self._gateways[options], get(target=path, headers=headers))


@pytest.fixture
def site() -> Iterator[Site]:
    """Run an origin on loopback."""
    clock = Clock()
    clock.now = time.time()  # the server has the clock of the machine
    origin = WireOrigin(clock=clock)

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            origin.handle(self.request)

    class OriginServer(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with running(OriginServer(("127.0.0.1", 0), Handler)) as port:
        yield Site(port, origin)


def statuses(site: Site, *options: str, times: int = 2, **headers: str) -> list[str]:
    """Return Cache-Status of some requests for one page, without the cache's name."""
    answers = [site.ask(*options, **headers) for _ in range(times)]
    return [(answer.header("Cache-Status") or "").partition("; ")[2] for answer in answers]


def settings_of(server: Server) -> dict[str, Any]:
    """Return the values that gunicorn uses."""
    names = ("bind", "threads", "keepalive", "limit_request_line", "limit_request_field_size")
    return {name: server.cfg.settings[name].get() for name in names}


def test_the_defaults_are_those_of_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The server listens on loopback only."""
    assert settings_of(build_server(["http://127.0.0.1:1"])) == {
        "bind": ["127.0.0.1:8080"],
        "threads": 32,
        "keepalive": 75,
        "limit_request_line": 8190,
        "limit_request_field_size": 65536,
    }
    with pytest.raises(SystemExit):
        build_server(["--help"])
    text = capsys.readouterr().out
    for default in ("(8080)", "(127.0.0.1)", "(32)", "(30)", "(0.1)", "(3600)"):
        assert default in text


def test_address_and_threads_can_be_set() -> None:
    """Each option sets its own value."""
    arguments = ["--host", "0.0.0.0", "--port", "81", "--threads", "3"]
    settings = settings_of(build_server(["http://127.0.0.1:1", *arguments]))
    assert (settings["bind"], settings["threads"]) == (["0.0.0.0:81"], 3)


def test_no_request_header_names_the_client() -> None:
    """A client could otherwise claim another address or scheme."""
    server = build_server(["http://127.0.0.1:1"])
    assert server.cfg.settings["forwarded_allow_ips"].get() == []
    assert server.cfg.settings["forwarder_headers"].get() == []


@pytest.mark.parametrize("arguments", [[], ["http://a", "--port", "x"], ["http://a", "--unknown"]])
def test_a_wrong_command_line_is_explained(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 2, as for other commands."""
    with pytest.raises(SystemExit) as error:
        build_server(arguments)
    assert error.value.code == 2
    assert "usage: python -m app.edge.gateway" in capsys.readouterr().err


def test_the_heuristic_lifetime_can_be_switched_off(site: Site) -> None:
    """By default a page without a lifetime is stored for a tenth of its age."""
    modified = dates.format_http_date(time.time() - 36_000)
    site.origin.script += [says(b"page", last_modified=modified)] * 3
    miss, hit = statuses(site)
    assert miss == "fwd=uri-miss; stored"
    assert 3500 < int(hit.removeprefix("hit; ttl=")) <= 3601
    assert all("hit" not in status for status in statuses(site, "--heuristic", "0"))


def test_a_response_with_a_cookie_is_stored_only_on_request(site: Site) -> None:
    """Most cookies identify a reader."""
    site.origin.script += [says(b"page", cache_control="max-age=60", set_cookie="a=1")] * 3
    assert all("hit" not in status for status in statuses(site))
    assert statuses(site, "--keep-cookies")[1].startswith("hit")


def test_pages_are_compressed_only_on_request(site: Site) -> None:
    """The origin may compress them itself."""
    text = says(b"a long story " * 100, cache_control="max-age=60", content_type="text/html")
    site.origin.script += [text] * 2
    plain = site.ask(Accept_Encoding="br")
    assert plain.header("Content-Encoding") is None
    packed = site.ask("--compress", **{"Accept-Encoding": "br"})
    assert packed.header("Content-Encoding") == "br"


@pytest.mark.parametrize(("seconds", "status"), [("3600", 200), ("0", 502)])
def test_a_stale_page_is_served_for_an_origin_that_fails(
    site: Site, seconds: str, status: int
) -> None:
    """For as long as the option says."""
    options = ("--stale-if-error", seconds)
    site.origin.script += [says(b"old", cache_control="max-age=0"), says(fails=True)]
    assert site.ask(*options).status == 200
    assert site.ask(*options).status == status


def test_the_token_of_the_proxy_admits_no_loop(site: Site) -> None:
    """A gateway that forwards to itself stops at the second pass."""
    gateway = build_server([f"http://127.0.0.1:{site.port}"]).load()
    site.origin.script += [says(b"page", cache_control="max-age=60")]
    assert call(gateway, get()).status == 200
    (environ,) = site.origin.environs
    via = {name: value for name, value in environ.items() if name.startswith("HTTP_")}
    loop = call(gateway, get(target="/other", headers=_header_names(via)))
    assert loop.status == 508


def _header_names(environ: dict[str, str]) -> dict[str, str]:
    return {name[5:].replace("_", "-").title(): value for name, value in environ.items()}
