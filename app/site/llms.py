"""The file llms.txt."""

from __future__ import annotations

from flask import Blueprint, Response, current_app
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.llms import SIZE, Overview, llms_txt
from app.publishing.queries import articles, pages, site, topics

from . import policies

bp = Blueprint("llms", __name__)


@bp.get("/llms.txt")
@cached(policies.LLMS)
def show() -> ResponseReturnValue:
    """An overview of the site for language models (llmstxt.org)."""
    title, tagline, description = site.columns("title", "tagline", "description")
    overview = Overview(
        site_url=current_app.config["SITE_URL"],
        title=title,
        summary=description or tagline,
        pages=pages.summed_up(),
        articles=articles.newest_summed_up(SIZE),
        topics=[counted.topic for counted in topics.with_articles()],
    )
    return Response(llms_txt(overview), content_type="text/plain; charset=utf-8")
