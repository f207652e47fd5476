"""Errors in JSON."""

from __future__ import annotations

from http import HTTPStatus

from flask import jsonify, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from app.edge.flask import serve_as

from . import policies


def answer(error: HTTPException) -> Response:
    """Return an error as a JSON object: its status, its name and a sentence."""
    response = error.get_response()
    body = jsonify(status=error.code, error=error.name, message=error.description)
    response.data = body.data
    response.content_type = "application/json"
    if error.code == HTTPStatus.NOT_FOUND and request.method in {"GET", "HEAD"}:
        return serve_as(policies.NOT_FOUND, response)
    return response
