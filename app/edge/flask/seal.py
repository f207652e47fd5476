"""The last door of a Flask app: what comes through unjudged leaves as no-store.

It is the first one of a request, too, so what a response reads is recorded from here on: a URL
converter or a session interface may read the database before Flask says that a request began.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..fence import fenced
from ..reads import recorder
from .fallback import ASKED
from .responses import CLOSED, COOKIES_KEY, POLICY_KEY, cookies

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication

RECORDED = "edge.recorded"
"""The key of a WSGI environment that says that a record has begun."""


class Seal:
    """WSGI middleware that closes a response which the edge has not seen as it leaves.

    That happens when an after_request function or a signal fails while an error is answered, and
    when somebody sets a cookie behind the last hand: another receiver of Flask's signal, or a
    middleware of the app's own.
    """

    def __init__(self, app: WSGIApplication, begin: Callable[[], None]) -> None:
        self.app = app
        self.begin = begin

    def __call__(self, environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        """Pass the request on and look at what comes back."""
        environ.get(ASKED, []).append(True)
        environ.pop(POLICY_KEY, None)
        environ.pop(COOKIES_KEY, None)
        environ[RECORDED] = True

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            if POLICY_KEY not in environ or cookies(headers) > environ.get(COOKIES_KEY, 0):
                headers = [line for line in headers if line[0].lower() not in CLOSED]
                headers.append(("Cache-Control", "no-store"))
            return start_response(status, headers, *exc_info)

        with recorder.apart():
            with fenced("as a request began"):
                self.begin()
                note_url(environ)
            return self.app(environ, start)


def note_url(environ: dict[str, Any]) -> None:
    """Let the record know the URL, which the page may depend on."""
    record = recorder.current()
    if record is not None:
        record.url_text = f"{environ.get('PATH_INFO', '')}?{environ.get('QUERY_STRING', '')}"
