"""Articles, one per page."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import articles

from . import policies

bp = Blueprint("articles", __name__)

RELATED = 3


@bp.get("/articles/<slug:slug>")
@cached(policies.ARTICLE)
def show(slug: str) -> ResponseReturnValue:
    """One published article."""
    article = articles.by_slug(slug) or abort(404)
    topic = article.topics[0] if article.topics else None
    return render_template(
        "site/articles/show.html",
        article=article,
        neighbours=articles.neighbours(article),
        topic=topic,
        related=articles.earlier_about(topic, article, RELATED) if topic else [],
    )
