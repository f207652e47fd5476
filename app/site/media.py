"""Image files, at URLs that contain their digest."""

from __future__ import annotations

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import media

from . import policies

bp = Blueprint("media", __name__)


@bp.get("/media/<string(length=20):fingerprint>/<string(maxlength=220):name>")
@cached(policies.MEDIA)
def show(fingerprint: str, name: str) -> ResponseReturnValue:
    """One file of an image."""
    if not (fingerprint.isalnum() and name.isprintable()):
        abort(404)
    file = media.file(fingerprint, name) or abort(404)
    return Response(file.content, content_type=file.content_type)
