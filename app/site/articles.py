"""Articles, one per page."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import articles

from . import policies
from .markdown_response import respond_with_markdown

bp = Blueprint("articles", __name__)


@bp.get("/articles/<slug:slug>")
@cached(policies.ARTICLE)
def show(slug: str) -> ResponseReturnValue:
    """One published article."""
    article = articles.by_slug(slug) or abort(404)
    around = articles.surroundings(article)
    return render_template(
        "site/articles/show.html",
        article=article,
        neighbours=around.neighbours,
        about=around.about,
        related=around.related,
    )


@bp.get("/articles/<slug:slug>.md")
@cached(policies.MARKDOWN)
def markdown(slug: str) -> ResponseReturnValue:
    """The Markdown source of one published article."""
    return respond_with_markdown(articles.source_by_slug(slug) or abort(404))
