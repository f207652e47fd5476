"""Linked files, at URLs that contain their digest."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.edge.flask.byte_range import apply_range
from app.publishing import files as file_types
from app.publishing.models import Attachment
from app.publishing.queries import files

from . import policies

bp = Blueprint("files", __name__)

SANDBOX = (
    "default-src 'none'; frame-ancestors 'none'; img-src 'self'; media-src 'self'; sandbox; "
    "style-src 'unsafe-inline'"
)
"""A file runs no script and has no origin; the styles are those of the browser's own player."""


@bp.get("/media/files/<string(length=20):fingerprint>/<string(maxlength=220):name>")
@cached(policies.MEDIA)
def show(fingerprint: str, name: str) -> ResponseReturnValue:
    """Return one linked file, or the requested range of it."""
    if not (fingerprint.isalnum() and name.isprintable()):
        abort(404)
    file = files.file(fingerprint, name) or abort(404)
    response = _build_response(file)
    apply_range(response, file.content)
    return response


def _build_response(file: Attachment) -> Response:
    response = Response(file.content, content_type=file.content_type)
    response.set_etag(file.fingerprint)
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Content-Security-Policy"] = SANDBOX
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Chrome refuses to show a PDF under a sandbox, so that a PDF is downloaded as well.
    is_shown = file_types.is_shown(file.content_type)
    response.headers.set(
        "Content-Disposition", "inline" if is_shown else "attachment", filename=file.name
    )
    return response
