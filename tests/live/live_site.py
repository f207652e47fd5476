"""The whole site as an operator runs it: it can be stopped, killed, started again and looked into."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask

from app.config.parsers import database_url
from app.edge.gateway.store.lmdb.store import LmdbStore
from tests.conftest import open_app

from . import raw_http
from .gunicorn import environment
from .programs import Running, free_port, listens, running_python
from .raw_http import Answer, Pair

BOUND = 10.0
"""Seconds within which something that must happen has happened."""


@dataclass(slots=True, kw_only=True)
class Site:
    """A site in a folder of its own, on a port of its own."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    _server: Running | None = None
    _stack: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        """Where readers find it."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def store(self) -> Path:
        """The folder of the gateway's store."""
        return self.folder / "edge-store"

    def start(self) -> None:
        """Start the server and wait until it can serve."""
        assert self._server is None
        own = {"FLASK_PORT": str(self.port), "FLASK_BIND": "127.0.0.1", "WEB_CONCURRENCY": "2"}
        command = ["-m", "gunicorn", "wsgi:app"]
        self._server = self._stack.enter_context(
            running_python(
                command,
                port=self.port,
                log=self.folder / "gunicorn.log",
                env=environment(self.folder, {**own, **self.settings}),
            )
        )
        assert self.ask("/readyz").status == 200, self.log

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server: kindly, or all of its processes at once by SIGKILL."""
        assert self._server is not None
        if by is signal.SIGKILL:
            os.killpg(self._server.process.pid, signal.SIGKILL)
            self._server.process.wait(BOUND)
        self._stack.close()
        self._server = None
        assert eventually(lambda: not listens(self.port))  # a worker may outlive its master

    def close(self) -> None:
        """Stop the server, if it runs; nobody waits for its last words."""
        if self._server is not None:
            self.stop(by=signal.SIGKILL)

    def restart(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """Stop the server and start it again in the same folder."""
        self.stop(by=by)
        self.start()

    @property
    def log(self) -> str:
        """What the server has said since it was started."""
        return (self.folder / "gunicorn.log").read_text(errors="replace")

    def workers(self) -> set[int]:
        """The processes that answer."""
        assert self._server is not None
        listed = subprocess.run(
            ["pgrep", "-P", str(self._server.process.pid)],
            capture_output=True,
            text=True,
            check=False,
        )
        return set(map(int, listed.stdout.split()))

    @contextmanager
    def alone(self, worker: int) -> Iterator[None]:
        """Let one worker answer everything for a while."""
        others = self.workers() - {worker}
        for other in others:
            os.kill(other, signal.SIGSTOP)
        try:
            yield
        finally:
            for other in others:
                os.kill(other, signal.SIGCONT)

    def ask(self, target: str, headers: Sequence[Pair] = (), *, method: str = "GET") -> Answer:
        """Ask as any client would."""
        return raw_http.ask(self.port, target, headers, method=method)

    def send(self, data: bytes, *, method: str = "GET") -> Answer:
        """Send these bytes, and take the one answer to them."""
        return raw_http.exchange(self.port, data, method=method)

    def forget(self) -> None:
        """Empty the gateway's store, as another process would."""
        with self.stored() as store:
            store.purge_all()

    def count(self) -> int:
        """How many URLs the gateway has stored."""
        with self.stored() as store:
            stats = store.stats()
            assert stats is not None
            return stats.pages

    @contextmanager
    def stored(self) -> Iterator[LmdbStore]:
        """The gateway's store, opened by this process."""
        store = LmdbStore(self.store)
        try:
            yield store
        finally:
            store.close()

    @contextmanager
    def acting(self) -> Iterator[Flask]:
        """An app of this process over the same site: what it writes, another process wrote."""
        own: dict[str, Any] = {"EDGE_GATEWAY": True, "SITE_URL": self.url}
        if url := self.settings.get("DATABASE_URL"):
            own["DATABASE_URL"] = database_url(url)
        yield from open_app(self.folder, **own)


@contextmanager
def start_site(database: Path, folder: Path, **settings: str) -> Iterator[Site]:
    """Start a site with a copy of this database; it stops at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(database, folder / "broadsheet.db")
    site = Site(folder=folder, settings=settings)
    site.start()
    try:
        yield site
    finally:
        site.close()


def eventually(holds: Callable[[], bool], *, within: float = BOUND) -> bool:
    """Ask again and again; tell whether it came true in time."""
    deadline = time.monotonic() + within
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
