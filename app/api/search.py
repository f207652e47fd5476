"""Search in JSON: the same query and the same order as the page of the site."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, jsonify, request, url_for
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import search
from app.publishing.queries.search import MAX_LENGTH, Order, Results

from . import policies, serializers, shapes
from .descriptions import describe

bp = Blueprint("search", __name__, url_prefix="/api/search")

_MAX_PAGE_DIGITS = 5
_QUERY: dict[str, dict[str, Any]] = {
    "q": {
        "type": "string",
        "maxLength": MAX_LENGTH,
        "description": 'Words, "phrases" and -excluded words; the last word may be unfinished.',
    },
    "page": {"type": "integer", "minimum": 1, "description": "The page of results, from 1."},
    "order": {
        "type": "string",
        "enum": [order.value for order in Order],
        "description": "The order of the results.",
    },
}


@bp.get("")
@cached(policies.API_SEARCH, query=("q", "page", "order"))
@describe(shapes.SearchResults, query=_QUERY)
def show() -> ResponseReturnValue:
    """One page of the posts that match a query."""
    results = search.search_posts(request.args.get("q", ""), page=_read_page(), order=_read_order())
    if results.is_beyond_end:
        abort(HTTPStatus.BAD_REQUEST, f"page is {results.number}: there are {results.page_count}.")
    return jsonify(
        shapes.SearchResults(
            query=results.query.text,
            count=results.count,
            results=[serializers.search_hit(hit) for hit in results.hits],
            correction=results.correction or None,
            next=_next(results),
        )
    )


def _next(results: Results) -> str | None:
    if results.number >= results.page_count:
        return None
    order = {} if results.order is Order.RELEVANCE else {"order": results.order.value}
    query: dict[str, Any] = {**order, "page": str(results.number + 1), "q": results.query.text}
    return serializers.url(url_for(".show", **query))


def _read_page() -> int:
    text = request.args.get("page", "1")
    is_number = text.isascii() and text.isdigit() and len(text) <= _MAX_PAGE_DIGITS
    if not is_number or text.startswith("0"):
        abort(HTTPStatus.BAD_REQUEST, f"page is {text[:40]!r}: write a number from 1.")
    return int(text)


def _read_order() -> Order:
    text = request.args.get("order", Order.RELEVANCE.value)
    order = next((order for order in Order if order.value == text), None)
    if order is None:
        names = " or ".join(each.value for each in Order)
        abort(HTTPStatus.BAD_REQUEST, f"order is {text[:40]!r}: write {names}.")
    return order
