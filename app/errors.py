"""Errors: as JSON below /api, as a page everywhere else."""

from __future__ import annotations

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from .api import errors as api
from .site import errors as site


def init_app(app: Flask) -> None:
    """Answer every error, those of unknown addresses too."""
    app.register_error_handler(HTTPException, answer)


def answer(error: HTTPException) -> Response:
    """The answer to an error, in the form that its address promises."""
    if error.code is None or error.response is not None:
        return error.get_response()
    below_api = request.path == "/api" or request.path.startswith("/api/")
    return api.answer(error) if below_api else site.answer(error)
