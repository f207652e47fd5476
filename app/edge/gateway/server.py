"""Run one application in gunicorn, for `python -m app.edge.gateway`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import gunicorn.http.wsgi
from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from ..http.fields import FieldLine

_ORIGIN_FIELDS: Final = frozenset({"date", "server"})


class Response(gunicorn.http.wsgi.Response):  # type: ignore[misc] # gunicorn is not typed
    """A response that keeps the origin's Date and Server instead of gunicorn's."""

    def process_headers(self, headers: list[FieldLine]) -> None:
        """Process the header list of the application."""
        super().process_headers(headers)
        self._origin_headers = [
            (name, value) for name, value in headers if name.lower() in _ORIGIN_FIELDS
        ]

    def default_headers(self) -> list[str]:
        """Return gunicorn's own header lines, with the origin's Date and Server in their place."""
        origin_names = {name.lower() for name, _ in self._origin_headers}
        lines: list[str] = super().default_headers()
        lines = [line for line in lines if line.partition(":")[0].lower() not in origin_names]
        return [*lines, *(f"{name}: {value}\r\n" for name, value in self._origin_headers)]


class _Uncacheable:
    """A socket that adds `no-store` to an error response of gunicorn itself."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, data: bytes) -> None:
        """Send the response with `Cache-Control: no-store` after its status line."""
        status, end, rest = data.partition(b"\r\n")
        self._client.sendall(status + end + b"Cache-Control: no-store\r\n" + rest)


class Worker(ThreadWorker):  # type: ignore[misc] # gunicorn is not typed
    """A worker whose own error responses (400, 414, 417, 431, 500, 501) are not stored."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Send an error response for an invalid request or a failed application."""
        super().handle_error(req, _Uncacheable(client), addr, exc)


class Server(BaseApplication):  # type: ignore[misc] # gunicorn is not typed
    """A gunicorn server with one process and several threads."""

    def __init__(self, app: WSGIApplication, settings: dict[str, Any]) -> None:
        self._app = app
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Apply the settings."""
        gunicorn.http.wsgi.Response = Response
        for name, value in {"worker_class": Worker, **self._settings}.items():
            self.cfg.set(name, value)

    def load(self) -> WSGIApplication:
        """Return the application."""
        return self._app
