"""The promise that no page is old, with a real Varnish as the edge: `STEPS=1000` tries harder.

The bound is one step of the relay: what it has purged when it comes back is not shown any more.
`SEED` takes another walk.
"""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, ClassVar
from wsgiref.simple_server import WSGIServer

import pytest
from flask import Flask

from app.edge.config import varnish
from app.edge.flask.planning import plan
from tests.edge.gateway.sockets import _Quiet, _Threaded
from tests.live import wire
from tests.live.process import free_port
from tests.live.varnish import varnished

from .test_never_stale import STATEMENTS, NeverStale

STEPS = int(os.environ.get("STEPS", "40"))
SEED = int(os.environ.get("SEED", "1"))
SECRET = "a-secret-of-the-tests"


class Front:
    """A Varnish, and a server behind it that speaks for one app after the other."""

    def __init__(self, server: WSGIServer, port: int) -> None:
        self.server = server
        self.port = port
        self.settings = {
            "SITE_URL": f"http://127.0.0.1:{port}",
            "EDGE": "varnish",
            "EDGE_VARNISH_NODES": f"http://127.0.0.1:{port}",
            "EDGE_VARNISH_SECRET": SECRET,
            "PROXIES": 1,
        }

    def serve(self, app: Flask) -> None:
        """Let this app answer from now on, with nothing kept of the one before."""
        self.server.set_app(app)
        lines = ("xkey-purge: all", f"Authorization: Bearer {SECRET}")
        purge = wire.request("/", *lines, method="PURGE")
        assert wire.exchange(self.port, purge).status == 200

    def ask(self, path: str) -> tuple[tuple[int, str, bytes], bool]:
        """What a reader gets, and whether Varnish had it."""
        data = wire.request(path, host=f"127.0.0.1:{self.port}")
        answer = wire.exchange(self.port, data)
        hit = "varnish; hit" in answer.cache_status
        return (answer.status, answer.headers.get("Location", ""), answer.body), hit


class BehindVarnish(NeverStale):
    """The same writers; every page is in Varnish, and the relay purges it there."""

    front: ClassVar[Front]

    def _app(self, url: str, **more: Any) -> Flask:
        if not more.pop("EDGE_GATEWAY"):
            settings = {"SITE_URL": self.front.settings["SITE_URL"]}
            return super()._app(url, EDGE_GATEWAY=False, **settings)
        app = super()._app(url, EDGE_GATEWAY=False, **self.front.settings)
        self.front.serve(app)
        return app

    def _ask(self, app: Flask, path: str) -> tuple[tuple[int, str, bytes], bool]:
        return self.front.ask(path) if app is self.site else super()._ask(app, path)

    def _settle(self) -> None:
        self.site.extensions["edge"].upkeep.relay.step(datetime.now(UTC))


def step(machine: NeverStale, random: Random) -> None:
    """Let somebody write something, through any of the doors."""
    slug = random.choice(("ash", "birch", "cedar", "elm"))
    text = random.choice(("Rain", "Wind", "Snow *soft*", "Sun\n\n## A heading\n\nText"))
    pick, n = random.randrange(4), random.randrange(4)
    doors: tuple[Callable[[], None], ...] = (
        lambda: machine.create(slug, text, n),
        lambda: machine.revise(pick, text, n),
        lambda: machine.move(pick, random.choice(("publish", "publish", "unpublish", "archive"))),
        lambda: machine.schedule(pick, 1 + n),
        machine.time_passes,
        lambda: machine.rename(pick, slug),
        lambda: machine.author(pick, random.choice(("Ada", "Bo", "Cy"))),
        lambda: machine.topic(pick, random.choice(("Maps", "Ships", "Tides"))),
        lambda: machine.settings_of_the_site(random.choice(("Site", "Other"))),
        lambda: machine.redirect(pick),
        lambda: machine.raw(random.choice(STATEMENTS)),
    )
    random.choice(doors)()


@contextmanager
def fronted(folder: Path, app_of: Callable[..., Flask]) -> Iterator[Front]:
    """Start both; the VCL is that of the app."""
    port = free_port()
    server = _Threaded(("127.0.0.1", 0), _Quiet)
    front = Front(server, port)
    app = app_of(**front.settings)
    origin = f"http://127.0.0.1:{server.server_address[1]}"
    vcl = varnish.vcl(plan(app, origins=[origin], secret=SECRET))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    server.set_app(app)
    try:
        with varnished(folder, vcl, parameters=varnish.PARAMETERS, port=port):
            yield front
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_page_is_stale_in_varnish(
    tmp_path: Path, migrated: Path, make_app: Callable[..., Flask]
) -> None:
    """After every write and one step of the relay each page equals its fresh render."""

    def database(folder: Path) -> str:
        shutil.copy(migrated, folder / "broadsheet.db")
        return f"sqlite:///{folder / 'broadsheet.db'}"

    random = Random(SEED)
    with fronted(tmp_path, make_app) as front:
        said = {"front": front, "database": staticmethod(database)}
        machine = type("Fronted", (BehindVarnish,), said)()
        try:
            machine.publish_something()
            for _ in range(STEPS):
                step(machine, random)
        finally:
            machine.teardown()
        print(f"{STEPS} writes changed {machine.changed} pages and purged {machine.purged}")  # noqa: T201 - the precision is a result
        assert machine.changed > STEPS
