"""Serve the gateway in front of an HTTP origin: `python -m app.edge.gateway ORIGIN_URL`."""

from __future__ import annotations

import argparse
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import gunicorn.http.wsgi
from gunicorn.app.base import BaseApplication

from .gateway import Gateway
from .memory_store import MemoryStore
from .options import Options
from .proxy import Proxy

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication


class _Response(gunicorn.http.wsgi.Response):  # type: ignore[misc] # gunicorn is not typed
    """A response whose own Date and Server are not joined by the server's."""

    def default_headers(self) -> list[str]:
        own = {name.lower() for name, _ in self.headers}
        lines: list[str] = super().default_headers()
        return [line for line in lines if line.partition(":")[0].lower() not in own]


class _Server(BaseApplication):  # type: ignore[misc] # gunicorn is not typed
    """One process with threads around one application."""

    def __init__(self, app: WSGIApplication, settings: dict[str, Any]) -> None:
        self._app = app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._settings.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        return self._app


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and serve until stopped."""
    parser = argparse.ArgumentParser(prog="python -m app.edge.gateway", description=__doc__)
    parser.add_argument("origin", metavar="ORIGIN_URL", help="for example http://127.0.0.1:8000")
    parser.add_argument("--port", type=int, default=8080, help="where to listen (8080)")
    parser.add_argument("--host", default="127.0.0.1", help="on which address (127.0.0.1)")
    parser.add_argument("--threads", type=int, default=32, help="requests at once (32)")
    parser.add_argument("--timeout", type=float, default=30, help="seconds for the origin (30)")
    chosen = parser.parse_args(arguments)
    proxy = Proxy(chosen.origin, timeout=timedelta(seconds=chosen.timeout))
    gunicorn.http.wsgi.Response = _Response
    settings = {
        "bind": f"{chosen.host}:{chosen.port}",
        "threads": chosen.threads,
        "worker_class": "gthread",
        "forwarder_headers": "",
        "forwarded_allow_ips": "",
        "control_socket_disable": True,
        "loglevel": "warning",
    }
    _Server(Gateway(proxy, store=MemoryStore(), options=Options()), settings).run()


if __name__ == "__main__":
    main()
