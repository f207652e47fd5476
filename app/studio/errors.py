"""Error pages of the studio and of previews. They read neither the session nor the database."""

from __future__ import annotations

from http import HTTPStatus

from flask import jsonify, redirect, render_template, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from app.private_paths import PREFIXES


def answer(error: HTTPException) -> Response:
    """Return the page of an error, or the redirect from another spelling of the path."""
    if error.code == HTTPStatus.NOT_FOUND and (path := respell(request.path)):
        return redirect(path, HTTPStatus.FOUND)
    return describe_error(error)


def respell(path: str) -> str | None:
    """Return the path in lower case without a slash at its end, if that is another spelling."""
    proper = "/" + path.lower().strip("/")
    is_read = request.method in {"GET", "HEAD"}
    is_safe = proper.startswith(PREFIXES) and proper.isascii() and "\\" not in proper
    return proper if is_read and is_safe and proper != path else None


def describe_error(error: HTTPException) -> Response:
    """Return the error as JSON for a script, else as a page; its headers stay."""
    response = error.get_response()
    if wants_json():
        response.data = jsonify(error=error.name, message=error.description).data
        response.content_type = "application/json"
    else:
        response.data = render_template("studio/errors/error.html", error=error)
        response.content_type = "text/html; charset=utf-8"
    return response


def wants_json() -> bool:
    """Tell whether a script sent the request, which reads JSON."""
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.is_json or best == "application/json"
