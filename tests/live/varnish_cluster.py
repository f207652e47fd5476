"""Two servers of the site over one PostgreSQL, and a Varnish in front, as the manual has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask

from app.config.parsers import database_url
from app.edge.cdn.varnish import vcl_config
from tests.conftest import open_app

from . import raw_http
from .gunicorn import environment, flask
from .live_site import Site, eventually
from .postgres import Postgres
from .programs import free_port, running_python
from .raw_http import Answer
from .varnish import varnished

SECRET = "a-secret-of-the-tests"


@dataclass(kw_only=True)
class Peers:
    """The whole house: origins, relay and Varnish can be stopped and started one by one."""

    folder: Path
    database: str
    postgres: Postgres
    port: int = field(default_factory=free_port)
    origins: list[Site] = field(default_factory=list)
    _stack: ExitStack = field(default_factory=ExitStack)
    _front: ExitStack = field(default_factory=ExitStack)
    _relay: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Where readers find the site."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def settings(self) -> Mapping[str, str]:
        """What the servers and the relay have in common."""
        return {
            "DATABASE_URL": self.database,
            "SITE_URL": self.url,
            "WEB_CONCURRENCY": "1",
            "FLASK_PROXIES": "1",
            "FLASK_EDGE": "varnish",
            "FLASK_EDGE_GATEWAY": "off",
            "FLASK_EDGE_RELAY": "off",
            "FLASK_EDGE_VARNISH_NODES": self.url,
            "FLASK_EDGE_VARNISH_SECRET": SECRET,
        }

    def start(self) -> None:
        """Start two origins, then Varnish, then the relay."""
        for number in (1, 2):
            folder = self.folder / f"origin-{number}"
            folder.mkdir()
            site = Site(folder=folder, settings=self.settings)
            self.origins.append(site)
            site.start()
            self._stack.callback(site.close)
        self.start_varnish()
        self.start_relay()

    def close(self) -> None:
        """Stop everything."""
        for stack in (self._relay, self._front, self._stack):
            stack.close()

    def start_varnish(self) -> None:
        """Start a Varnish with what the command prints, on the port that it always has."""
        folder = self.folder / f"front-{len(list(self.folder.iterdir()))}"
        folder.mkdir()
        started = varnished(folder, self.vcl, parameters=vcl_config.PARAMETERS, port=self.port)
        self._front.enter_context(started)

    @cached_property
    def vcl(self) -> str:
        """What the command prints for the two origins."""
        words = [word for site in self.origins for word in ("--origin", site.url)]
        printed = flask(
            *("edge", "config", "varnish", "--with-secret", *words),
            instance=self.folder,
            settings=self.settings,
        )
        assert printed.returncode == 0, printed.stderr
        return printed.stdout

    def stop_varnish(self) -> None:
        """Stop it; what it had kept is gone."""
        self._front.close()

    def start_relay(self) -> None:
        """Start `flask edge relay`."""
        log = self.folder / "relay.log"
        command = ["-m", "flask", "edge", "relay"]
        self._relay.enter_context(
            running_python(
                command,
                port=0,
                log=log,
                env=environment(self.folder, {**self.settings, "PYTHONUNBUFFERED": "1"}),
                ready=lambda: "The relay is running" in log.read_text(errors="replace"),
            )
        )

    def kill_relay(self) -> None:
        """Let it die."""
        self._relay.close()

    @contextmanager
    def acting(self) -> Iterator[Flask]:
        """An app of this process over the same database: what it writes, an editor wrote."""
        own: dict[str, Any] = {
            "DATABASE_URL": database_url(self.database),
            "SITE_URL": self.url,
            "EDGE": "varnish",
            "EDGE_VARNISH_NODES": self.url,
            "EDGE_VARNISH_SECRET": SECRET,
        }
        yield from open_app(self.folder, **own)

    def ask(self, target: str) -> Answer:
        """Ask as a reader does, through Varnish."""
        data = raw_http.request(target, "Accept-Encoding: identity", host=f"127.0.0.1:{self.port}")
        return raw_http.exchange(self.port, data)

    def shows(self, text: str, target: str = "/") -> bool:
        """Tell whether a reader sees this."""
        answer = self.ask(target)
        return answer.status == 200 and text.encode() in answer.body

    def warm(self, target: str = "/") -> None:
        """Ask until Varnish has the page."""
        assert eventually(lambda: "varnish; hit" in self.ask(target).cache_status)

    @contextmanager
    def without_database(self) -> Iterator[None]:
        """Let nobody reach the database for a while."""
        name = self.database.rpartition("/")[2]
        self.postgres.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        self.postgres.execute(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        try:
            yield
        finally:
            self.postgres.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')


@contextmanager
def peers(folder: Path, postgres: Postgres, template: str) -> Iterator[Peers]:
    """Start the house over a fresh database; it is gone at the end."""
    url = postgres.create(template=template)
    house = Peers(folder=folder, database=url, postgres=postgres)
    try:
        house.start()
        yield house
    finally:
        house.close()
        postgres.drop(url)
