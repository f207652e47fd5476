"""Pages: posts that have a place in the menu instead of a date."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import pages

from . import policies
from .markdown_response import respond_with_markdown

bp = Blueprint("pages", __name__)


@bp.get("/<slug:slug>")
@cached(policies.PAGE)
def show(slug: str) -> ResponseReturnValue:
    """One published page."""
    return render_template("site/pages/show.html", page=pages.by_slug(slug) or abort(404))


@bp.get("/<slug:slug>.md")
@cached(policies.MARKDOWN)
def markdown(slug: str) -> ResponseReturnValue:
    """The Markdown source of one published page."""
    return respond_with_markdown(pages.source_by_slug(slug) or abort(404))
