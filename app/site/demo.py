"""Pages for seeing the edge at work: one never stored, one kept for a while, one with a cookie.

The first two write their Cache-Control into the response, as any Flask view may. Their policies
say the same to `flask edge routes` and to `flask edge config`.
"""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from flask import Blueprint, current_app, make_response, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached

from . import policies

bp = Blueprint("demo", __name__, url_prefix="/edge")


@bp.get("/no-store")
@cached(policies.NO_STORE)
def no_store() -> ResponseReturnValue:
    """When it was made, on a page that nobody keeps."""
    response = make_response(render_template("site/demo/no_store.html", now=datetime.now(UTC)))
    response.cache_control.no_store = True
    return response


@bp.get("/two-minutes")
@cached(policies.TWO_MINUTES)
def two_minutes() -> ResponseReturnValue:
    """When it was made, on a page that the edge keeps for two minutes."""
    response = make_response(render_template("site/demo/two_minutes.html", now=datetime.now(UTC)))
    response.cache_control.max_age = 120
    return response


@bp.get("/cookie")
@cached(policies.COOKIE)
def cookie() -> ResponseReturnValue:
    """A page that may be kept, with a cookie that may not; the cookie means nothing."""
    response = make_response(render_template("site/demo/cookie.html", now=datetime.now(UTC)))
    response.set_cookie(
        "edge_check",
        secrets.token_hex(8),
        max_age=60,
        path="/edge/cookie",
        secure=current_app.config["SITE_URL"].startswith("https:"),
        httponly=True,
        samesite="Lax",
    )
    return response
