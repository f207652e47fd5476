"""Search."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import search

from . import policies

bp = Blueprint("search", __name__)


@bp.get("/search")
@cached(policies.SEARCH, query=("q",))
def show() -> ResponseReturnValue:
    """Show the posts that match a reader's words, or only the form without words."""
    words = search.clean_query(request.args.get("q", ""))
    return render_template("site/search/show.html", words=words, found=search.search_posts(words))
