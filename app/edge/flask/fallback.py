"""Fallback: the app answers by itself, uncached, where a layer in front of it fails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fence import describe
from .responses import CLOSED

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
        asked: list[bool] = []
        environ[ASKED] = asked

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            asked.append(True)
            return start_response(status, headers, *exc_info)

        try:
            return self._layer(environ, start)
        except Exception as error:
            if asked or self._strict():
                raise
            describe(error, "in front of the application")
        return self._app(environ, unshared(start_response))


def unshared(start_response: StartResponse) -> StartResponse:
    """Let a response leave as no-store, whatever its headers say."""

    def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
        headers = [line for line in headers if line[0].lower() not in CLOSED]
        return start_response(status, [*headers, ("Cache-Control", "no-store")], *exc_info)

    return start
