"""Fallback: if a WSGI layer in front of the app raises, the app answers without it, uncached."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dependencies.fence import describe
from .response import CACHE_HEADERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication

APP_CALLS_KEY = "edge.asked"
"""WSGI environ key of a list that is empty until the request reaches the app."""


class Fallback:
    """WSGI middleware around a layer that may answer itself or call the app.

    An exception is raised again if the app has been called, if the response has started, or if
    `strict` returns True.
    """

    def __init__(
        self, layer: WSGIApplication, app: WSGIApplication, *, strict: Callable[[], bool]
    ) -> None:
        self._layer = layer
        self._app = app
        self._strict = strict

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Call the layer; if it raises before the app was called, call the app directly."""
        app_calls: list[bool] = []
        environ[APP_CALLS_KEY] = app_calls

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            app_calls.append(True)
            return start_response(status, headers, *exc_info)

        try:
            return self._layer(environ, start)
        except Exception as error:
            if app_calls or self._strict():
                raise
            describe(error, "in front of the application")
        return self._app(environ, with_no_store(start_response))


def with_no_store(start_response: StartResponse) -> StartResponse:
    """Return a start_response that replaces all caching headers by `no-store`."""

    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        headers = [line for line in headers if line[0].lower() not in CACHE_HEADERS]
        return start_response(status, [*headers, ("Cache-Control", "no-store")], *exc_info)

    return start
