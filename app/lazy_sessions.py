"""Sessions: Flask's own, which are opened only for a reader who has sent one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask.sessions import SecureCookieSessionInterface

if TYPE_CHECKING:
    from flask import Flask, Request
    from flask.sessions import SecureCookieSession


class LazySessionInterface(SecureCookieSessionInterface):
    """Signed cookies; most readers send none, and their pages need not pay for the signing."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """The session that the reader sent, or an empty one; None where nothing can be signed."""
        if app.secret_key and "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)
