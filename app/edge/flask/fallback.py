"""Fallback: the app answers by itself, uncached, where a layer in front of it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dependencies.fence import describe
from .response import CACHE_HEADERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication

ASKED = "edge.asked"
"""The key of a WSGI environment that holds a list; it is empty until the app has the request."""


class Fallback:
    """WSGI middleware around a layer that may answer in place of the app or pass a request on.

    An exception of the app itself is passed on: it was asked by then. So is one after the head of
    the response has left, and every one where `strict` says so.
    """

    def __init__(
        self, layer: WSGIApplication, app: WSGIApplication, *, strict: Callable[[], bool]
    ) -> None:
        self._layer = layer
        self._app = app
        self._strict = strict

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Answer by the layer, or by the app alone."""
        app_calls: list[bool] = []
        environ[ASKED] = app_calls

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
    """Let a response leave as no-store, whatever its headers say."""

    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        headers = [line for line in headers if line[0].lower() not in CACHE_HEADERS]
        return start_response(status, [*headers, ("Cache-Control", "no-store")], *exc_info)

    return start
