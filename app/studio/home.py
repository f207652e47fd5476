"""The front page of the studio."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

bp = Blueprint("home", __name__)


@bp.get("")
def show() -> ResponseReturnValue:
    """Show what the user may do."""
    return render_template("studio/home/show.html")
