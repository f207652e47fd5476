"""Articles in JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from flask import Blueprint, abort, jsonify, request
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.edge.flask import serve_as
from app.publishing.feeds import changed_at
from app.publishing.queries import archive, articles

from . import policies, serializers, shapes
from .descriptions import describe

bp = Blueprint("posts", __name__, url_prefix="/api/posts")

_MAX_ID_DIGITS = 18
_QUERY: dict[str, dict[str, Any]] = {
    "after": {
        "type": "integer",
        "minimum": 0,
        "description": "The id of the last article listed for this instant; `next` contains it.",
    },
    "updated_since": {
        "type": "string",
        "format": "date-time",
        "description": "List what changed at this instant or later, the earliest change first.",
    },
}


@bp.get("")
@cached(policies.API, query=("after", "updated_since"))
@describe(shapes.PostList, shapes.ChangedPosts, query=_QUERY)
def index() -> ResponseReturnValue:
    """The newest articles and the URLs of all pages, or what changed since an instant."""
    if "updated_since" in request.args or "after" in request.args:
        response = jsonify(_changed(*_read_position()))
        return serve_as(policies.API_CHANGES, response)
    count = articles.count()
    pages = archive.page_count(count)
    newest = articles.newest(archive.PAGE_SIZE, details=True)
    return jsonify(
        shapes.PostList(
            count=count,
            posts=[serializers.post(post) for post in newest],
            pages={"count": pages, "oldest": _page(1 if pages else None), "newest": _page(pages)},
        )
    )


@bp.get("/pages/<number:number>")
@cached(policies.API)
@describe(shapes.NumberedPosts)
def numbered(number: int) -> ResponseReturnValue:
    """One page of all articles, newest first; page 1 holds the oldest."""
    page = archive.page(number, details=True) or abort(404)
    return jsonify(
        shapes.NumberedPosts(
            number=page.number,
            posts=[serializers.post(post) for post in page.posts],
            older=_page(page.older),
            newer=_page(page.newer),
        )
    )


@bp.get("/<slug:slug>")
@cached(policies.API)
@describe(shapes.FullPost)
def show(slug: str) -> ResponseReturnValue:
    """One article with its text."""
    return jsonify(serializers.post_in_full(articles.by_slug(slug) or abort(404)))


def _changed(since: datetime, after: int) -> shapes.ChangedPosts:
    """Return the articles that changed since a position, and the position behind them."""
    posts = articles.changed_since(since, after=after, limit=archive.PAGE_SIZE + 1)
    page = posts[: archive.PAGE_SIZE]
    at, last = (changed_at(page[-1]), page[-1].id) if page else (since, after)
    instant = quote(at.isoformat().replace("+00:00", "Z"), safe="")
    return shapes.ChangedPosts(
        posts=[serializers.post(post) for post in page],
        next=serializers.url(f"/api/posts?after={last}&updated_since={instant}"),
        complete=len(posts) <= archive.PAGE_SIZE,
    )


def _read_position() -> tuple[datetime, int]:
    """Return the instant and the id of the request; aborts with a sentence if one is invalid."""
    # An unencoded plus sign of an offset arrives as a space.
    text = request.args.get("updated_since", "").strip().replace(" ", "+")
    after = request.args.get("after", "0")
    try:
        since = datetime.fromisoformat(text)
    except ValueError:
        since = None
    if since is None or since.tzinfo is None or not articles.is_storable(since):
        abort(400, f"updated_since is {text[:40]!r}: write an instant as 2026-01-31T09:00:00Z.")
    if not (after.isascii() and after.isdigit() and len(after) <= _MAX_ID_DIGITS):
        abort(400, f"after is {after[:40]!r}: use the number in the field `next` of a response.")
    return since, int(after)


def _page(number: int | None) -> str | None:
    return serializers.url(f"/api/posts/pages/{number}") if number else None
