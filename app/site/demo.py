"""Pages that show the edge at work: one is never stored, one for two minutes, one sets a cookie.

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
    """Show when the page was rendered; no cache stores it."""
    response = make_response(render_template("site/demo/no_store.html", now=datetime.now(UTC)))
    response.cache_control.no_store = True
    return response


@bp.get("/two-minutes")
@cached(policies.TWO_MINUTES)
def two_minutes() -> ResponseReturnValue:
    """Show when the page was rendered; caches store it for two minutes."""
    response = make_response(render_template("site/demo/two_minutes.html", now=datetime.now(UTC)))
    response.cache_control.max_age = 120
    return response


@bp.get("/cookie")
@cached(policies.COOKIE)
def cookie() -> ResponseReturnValue:
    """A page that caches may store, with a cookie that they may not; the cookie has no meaning."""
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
