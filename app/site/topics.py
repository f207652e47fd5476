"""Topics, and the articles of one: the newest, and pages that are numbered from the oldest."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import archive, articles, site, topics

from . import numbered_pages, policies

bp = Blueprint("topics", __name__, url_prefix="/topics")


@bp.get("")
@cached(policies.LIST)
def index() -> ResponseReturnValue:
    """Every topic that has articles."""
    return render_template("site/topics/index.html", topics=topics.with_articles())


@bp.get("/<slug:slug>")
@cached(policies.LIST)
def show(slug: str) -> ResponseReturnValue:
    """One topic with its newest articles."""
    topic = topics.by_slug(slug, described=True) or abort(404)
    count = articles.count(about=topic)
    ends = archive.ends(count, site.posts_per_page())
    return render_template(
        "site/topics/show.html",
        topic=topic,
        articles=articles.newest(ends.article_count, about=topic),
        count=count,
        older=ends.older,
    )


@bp.get("/<slug:slug>/pages/<number:number>")
@cached(policies.ARCHIVE)
def numbered(slug: str, number: int) -> ResponseReturnValue:
    """One page of a topic's articles; page 1 holds the oldest."""
    topic = topics.by_slug(slug) or abort(404)
    page = archive.page(number, size=site.posts_per_page(), about=topic) or abort(404)
    if not page.is_complete:
        return numbered_pages.way_to(topic.path)
    return render_template("site/topics/numbered.html", topic=topic, page=page)
