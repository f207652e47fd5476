"""The front page: the newest articles."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.paths import QUERY_NAMES
from app.publishing.queries import articles, topics

from . import policies, query_redirects

bp = Blueprint("home", __name__)

SIZE = 15
TOPICS = 24


@bp.get("/")
@cached(policies.HOME, query=QUERY_NAMES)
def show() -> ResponseReturnValue:
    """The front page, or the redirect from an old address such as `/?p=20`."""
    if (response := query_redirects.respond()) is not None:
        return response
    return render_template(
        "site/home/show.html",
        articles=articles.newest(SIZE, minutes=True),
        topics=topics.with_most_articles(TOPICS),
    )
