"""The security.txt (RFC 9116): where to report a vulnerability."""

from __future__ import annotations

from flask import Blueprint, Response, abort, current_app
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import site

from . import policies

bp = Blueprint("security_txt", __name__)
PATH = "/.well-known/security.txt"


@bp.get(PATH)
@cached(policies.ROBOTS)
def show() -> ResponseReturnValue:
    """The contact and the day on which the file expires; not found until both are set."""
    contact, expires, language = site.columns("security_contact", "security_expires", "language")
    if not (contact and expires):
        abort(404)
    lines = (
        f"Contact: {contact}",
        f"Expires: {expires}T00:00:00Z",
        f"Preferred-Languages: {language}",
        f"Canonical: {current_app.config['SITE_URL']}{PATH}",
        "",
    )
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")
