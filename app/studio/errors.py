"""Error pages of the studio and of previews. They read neither the session nor the database."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, jsonify, redirect, render_template, request
from werkzeug.exceptions import (
    Conflict,
    Forbidden,
    HTTPException,
    NotFound,
    UnprocessableEntity,
)
from werkzeug.wrappers import Response

from app.private_paths import PREFIXES
from app.publishing import errors

PublishingError = errors.PublishingError

_STATUSES: dict[type[Exception], type[HTTPException]] = {
    errors.Missing: NotFound,
    errors.Forbidden: Forbidden,
    errors.Conflict: Conflict,
    PublishingError: UnprocessableEntity,
}
"""The status of each error of an action; the first that fits."""


def answer(error: HTTPException) -> Response:
    """Return the page of an error, or the redirect from another spelling of the path."""
    if error.code == HTTPStatus.NOT_FOUND and (path := respell(request.path)):
        return redirect(path, HTTPStatus.FOUND)
    return describe_error(error)


def register(studio: Blueprint) -> None:
    """Register the answers to errors of the actions."""
    studio.register_error_handler(PublishingError, answer_action_error)


def answer_action_error(error: PublishingError) -> Response:
    """Answer an error that the view has not handled itself."""
    status = next(code for kind, code in _STATUSES.items() if isinstance(error, kind))
    return describe_error(status(str(error)))


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
