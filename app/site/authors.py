"""Authors, and the articles of one: the newest, and pages that are numbered from the oldest."""

from __future__ import annotations

from flask import Blueprint, abort, render_template
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import archive, articles, authors, site

from . import numbered_pages, policies

bp = Blueprint("authors", __name__, url_prefix="/authors")


@bp.get("")
@cached(policies.LIST)
def index() -> ResponseReturnValue:
    """Every author that has articles."""
    return render_template("site/authors/index.html", authors=authors.with_articles())


@bp.get("/<slug:slug>")
@cached(policies.LIST)
def show(slug: str) -> ResponseReturnValue:
    """One author with its newest articles."""
    author = authors.by_slug(slug, described=True) or abort(404)
    count = articles.count(about=author)
    ends = archive.ends(count, site.posts_per_page())
    return render_template(
        "site/authors/show.html",
        author=author,
        articles=articles.newest(ends.article_count, about=author),
        count=count,
        older=ends.older,
    )


@bp.get("/<slug:slug>/pages/<number:number>")
@cached(policies.ARCHIVE)
def numbered(slug: str, number: int) -> ResponseReturnValue:
    """One page of an author's articles; page 1 holds the oldest."""
    author = authors.by_slug(slug) or abort(404)
    page = archive.page(number, size=site.posts_per_page(), about=author) or abort(404)
    if not page.is_complete:
        return numbered_pages.way_to(author.path)
    return render_template("site/authors/numbered.html", author=author, page=page)
