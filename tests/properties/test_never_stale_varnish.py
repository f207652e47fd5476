"""The promise that no page is old, with a real Varnish as the edge: `STEPS=1000` tries harder.

The bound is one step of the relay: what it has purged when it comes back is not shown any more.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIServer

import pytest
from flask import Flask

from app.edge.cdn.varnish import vcl_config
from app.edge.flask.site_description import describe_site
from tests.depth import SEED, VARNISH_STEPS
from tests.edge.gateway.socket_origin import _Quiet, _Threaded
from tests.live import raw_http
from tests.live.programs import free_port
from tests.live.varnish import varnished

from .never_stale.databases import SqliteFile
from .never_stale.fresh_renders import Answer
from .never_stale.random_walk import prove
from .never_stale.site_pair import Newsroom, short_lists

SECRET = "a-secret-of-the-tests"


class Front:
    """A Varnish, and a server behind it that speaks for one app after the other."""

    def __init__(self, server: WSGIServer, port: int) -> None:
        self.server = server
        self.port = port
        self.settings: dict[str, Any] = {
            "EDGE_GATEWAY": False,
            "SITE_URL": f"http://127.0.0.1:{port}",
            "EDGE": "varnish",
            "EDGE_VARNISH_NODES": f"http://127.0.0.1:{port}",
            "EDGE_VARNISH_SECRET": SECRET,
            "PROXIES": 1,
        }

    def begin(self) -> None:
        """Keep nothing."""
        lines = ("xkey-purge: all", f"Authorization: Bearer {SECRET}")
        purge = raw_http.request("/", *lines, method="PURGE")
        assert raw_http.exchange(self.port, purge).status == 200

    def settle(self) -> None:
        """Run the relay twice: the first run may publish a due post, whose purges are due later."""
        app = self.server.get_app()
        for _ in range(2):
            app.extensions["edge"].worker.relay.run_once(datetime.now(UTC))  # type: ignore[union-attr]  # it is a Flask

    def load(self, path: str) -> Answer | None:
        """What Varnish has; asked in vain, it has the page from then on."""
        answer, hit = self._ask(path)
        return answer if hit else None

    def visit(self, path: str) -> Answer:
        """What a reader gets."""
        return self._ask(path)[0]

    def _ask(self, path: str) -> tuple[Answer, bool]:
        data = raw_http.request(path, host=f"127.0.0.1:{self.port}")
        answer = raw_http.exchange(self.port, data)
        shown_answer = Answer(
            status=answer.status,
            kind=answer.headers.get("Content-Type", ""),
            location=answer.headers.get("Location", ""),
            body=answer.body,
        )
        return shown_answer, "varnish; hit" in answer.cache_status


@contextmanager
def fronted(folder: Path, app_of: Callable[..., Flask]) -> Iterator[Front]:
    """Start both; the VCL is that of the app."""
    port = free_port()
    server = _Threaded(("127.0.0.1", 0), _Quiet)
    front = Front(server, port)
    app = app_of(**front.settings)
    origin = f"http://127.0.0.1:{server.server_address[1]}"
    vcl = vcl_config.vcl(describe_site(app, origins=[origin], secret=SECRET))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.set_app(app)
    try:
        with varnished(folder, vcl, parameters=vcl_config.PARAMETERS, port=port):
            yield front
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_page_is_stale_in_varnish(
    tmp_path: Path,
    migrated: Path,
    make_app: Callable[..., Flask],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After every write and its purges each page equals its fresh render."""
    short_lists(monkeypatch)
    with fronted(tmp_path, make_app) as front:
        database = SqliteFile(tmp_path, migrated)
        with closing(Newsroom(tmp_path, database, **front.settings)) as newsroom:
            front.server.set_app(newsroom.site)
            tally = prove(newsroom, front, count=VARNISH_STEPS, seed=SEED)
    print("\n".join(tally.words()))  # noqa: T201 - the precision is a result
    # The seed is random: few walks change as few as half as many pages as they have steps.
    assert tally.changed_pages.total() > VARNISH_STEPS / 8
