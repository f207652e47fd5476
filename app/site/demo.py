"""Two pages for seeing the edge at work: one that is never stored, one that is kept for a while."""

from __future__ import annotations

from datetime import UTC, datetime

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached

from . import policies

bp = Blueprint("demo", __name__, url_prefix="/edge")


@bp.get("/no-store")
@cached(policies.NO_STORE)
def no_store() -> ResponseReturnValue:
    """When it was made, on a page that nobody keeps."""
    return render_template("site/demo/no_store.html", now=datetime.now(UTC))


@bp.get("/two-minutes")
@cached(policies.TWO_MINUTES)
def two_minutes() -> ResponseReturnValue:
    """When it was made, on a page that the edge keeps for two minutes."""
    return render_template("site/demo/two_minutes.html", now=datetime.now(UTC))
