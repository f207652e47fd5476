"""WSGI layer that sets `no-store` on every response that the guard has not checked.

Recording also starts here, because a URL converter or a session interface may read the database
before Flask sends `request_started`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..dependencies.current_record import current_record, isolated
from ..dependencies.fence import fenced
from .fallback import APP_CALLS_KEY
from .response import CACHE_HEADERS, COOKIES_KEY, POLICY_KEY, count_cookies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication

RECORDING_KEY = "edge.recorded"
"""WSGI environ key that is set once recording has started."""


class FailClosedMiddleware:
    """WSGI middleware that sets `no-store` on a response that the guard has not checked.

    This happens when an after_request function or a signal receiver raises while an error page is
    built, and when a cookie is set after the check, by another receiver of Flask's signal or by a
    middleware of the app.
    """

    def __init__(self, app: WSGIApplication, begin: Callable[[], None]) -> None:
        self.app = app
        self.begin = begin

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Call the app, and check the headers of its response."""
        environ.get(APP_CALLS_KEY, []).append(True)
        environ.pop(POLICY_KEY, None)
        environ.pop(COOKIES_KEY, None)
        environ[RECORDING_KEY] = True

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            if POLICY_KEY not in environ or count_cookies(headers) > environ.get(COOKIES_KEY, 0):
                headers = [line for line in headers if line[0].lower() not in CACHE_HEADERS]
                headers.append(("Cache-Control", "no-store"))
            return start_response(status, headers, *exc_info)

        with isolated():
            with fenced("as a request began"):
                self.begin()
                note_url(environ)
            return self.app(environ, start)


def note_url(environ: dict[str, Any]) -> None:
    """Store the URL in the record; the page may depend on it."""
    record = current_record()
    if record is not None:
        record.url_text = f"{environ.get('PATH_INFO', '')}?{environ.get('QUERY_STRING', '')}"
