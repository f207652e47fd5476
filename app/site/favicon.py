"""The icon that browsers request at a fixed URL."""

from __future__ import annotations

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from app.config import ROOT
from app.edge import cached
from app.publishing.looks import drawing

from . import policies, theme

bp = Blueprint("favicon", __name__)

_ICON = (ROOT / "static" / "favicon.ico").read_bytes()
"""Read at start: a page that opens a file can't be purged when the file changes."""


@bp.get("/favicon.ico")
@cached(policies.FAVICON)
def show() -> ResponseReturnValue:
    """The icon: that of the site's settings, or of the project."""
    look = theme.load_look()
    content = _ICON if look.is_default else drawing.icon_ico(look, theme.icon_content(look))
    return Response(content, content_type="image/x-icon")
