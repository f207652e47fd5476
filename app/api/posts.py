"""Articles in JSON."""

from __future__ import annotations

from flask import Blueprint, abort, jsonify
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import archive, articles

from . import policies, serializers

bp = Blueprint("posts", __name__, url_prefix="/api/posts")


@bp.get("")
@cached(policies.API)
def index() -> ResponseReturnValue:
    """The newest articles, and the URLs of all pages of the list."""
    count = articles.count()
    pages = archive.page_count(count)
    return jsonify(
        count=count,
        posts=[serializers.post(post) for post in articles.newest(archive.PAGE_SIZE, details=True)],
        pages={"count": pages, "oldest": _page(1 if pages else None), "newest": _page(pages)},
    )


@bp.get("/pages/<number:number>")
@cached(policies.API)
def numbered(number: int) -> ResponseReturnValue:
    """One page of all articles, newest first; page 1 holds the oldest."""
    page = archive.page(number, details=True) or abort(404)
    return jsonify(
        number=page.number,
        posts=[serializers.post(post) for post in page.posts],
        older=_page(page.older),
        newer=_page(page.newer),
    )


@bp.get("/<slug:slug>")
@cached(policies.API)
def show(slug: str) -> ResponseReturnValue:
    """One article with its text."""
    return jsonify(serializers.post_in_full(articles.by_slug(slug) or abort(404)))


def _page(number: int | None) -> str | None:
    return serializers.url(f"/api/posts/pages/{number}") if number else None
