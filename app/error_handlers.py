"""Error handlers: JSON below /api, private pages below /studio, public pages elsewhere."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any

from flask import Flask, request
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.wrappers import Response

from .api import errors as api
from .database import is_away
from .edge.changes import outage
from .extensions import db
from .private_paths import is_private
from .site import errors as site
from .studio import errors as studio

_log = logging.getLogger(__name__)
SOON = timedelta(seconds=10)
"""The Retry-After while the database is unavailable."""


def init_app(app: Flask) -> None:
    """Register the handlers for all errors, 404 of unknown paths included."""
    app.register_error_handler(HTTPException, answer)
    app.register_error_handler(DBAPIError, handle_database_error)
    app.register_error_handler(NoneFree, handle_database_error)
    app.logger.addFilter(is_unexpected)


def answer(error: HTTPException) -> Response:
    """Return the response to an error: JSON below /api, else a private or a public page."""
    if isinstance(error, InternalServerError) and is_away(error.original_exception):
        return away()
    if error.code is None or error.response is not None:
        return error.get_response()
    if is_private(request.path):
        return studio.answer(error)
    below_api = request.path == "/api" or request.path.startswith("/api/")
    return api.answer(error) if below_api else site.answer(error)


def handle_database_error(error: Exception) -> Response:
    """Answer 503 if the database is unavailable; raise any other database error again.

    The studio answers 503 as well if the database is locked or read-only, so that its script
    repeats the request.
    """
    if not is_away(error):
        if is_private(request.path) and isinstance(error, OperationalError):
            _log.error("studio.database: %s", str(error.orig))
            return away()
        raise error
    report_outage(error)
    return away()


def report_outage(error: BaseException) -> None:
    """Report an outage that the engine does not: every connection of the pool is in use."""
    if not outage.is_logged(error):
        outage.outage_log(db.engine).begin(str(error).partition("\n")[0])


def is_unexpected(record: logging.LogRecord) -> bool:
    """Filter: drop Flask's traceback of an error that means that the database is unavailable."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None or not is_away(error):
        return True
    report_outage(error)
    return False


def away() -> Response:
    """Return 503 with Retry-After."""
    return answer(ServiceUnavailable(retry_after=int(SOON.total_seconds())))


def unavailable(app: Flask) -> Callable[..., Iterable[bytes]]:
    """WSGI app that answers 503 with `no-store` until the process has reached its database."""

    def respond(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with app.request_context(environ):
            response = away()
        response.headers["Cache-Control"] = "no-store"
        return response(environ, start_response)

    return respond
