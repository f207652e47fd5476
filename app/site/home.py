"""The front page: the newest articles."""

from __future__ import annotations

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import articles, topics

from . import policies

bp = Blueprint("home", __name__)

SIZE = 15
TOPICS = 24


@bp.get("/")
@cached(policies.HOME)
def show() -> ResponseReturnValue:
    """The front page."""
    return render_template(
        "site/home/show.html",
        articles=articles.newest(SIZE, minutes=True),
        topics=topics.with_most_articles(TOPICS),
    )
