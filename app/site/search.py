"""Search."""

from __future__ import annotations

from functools import partial
from http import HTTPStatus
from typing import Any

from flask import Blueprint, make_response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.edge.flask import serve_as
from app.publishing.queries import search
from app.publishing.queries.search import Order, Results

from . import no_vary_search, policies

bp = Blueprint("search", __name__)
no_vary_search.init_blueprint(bp)

MAX_PAGE_DIGITS = 5


@bp.get("/search")
@cached(policies.SEARCH, query=("q", "page", "order"))
def show() -> ResponseReturnValue:
    """Show one page of the posts that match a reader's words, or only the form without words."""
    typed = request.args.get("q", "")
    number, order = _read_page(), _read_order()
    if number is None or order is None:
        return _not_found(Results(query=search.read(typed)))
    results = search.search_posts(typed, page=number, order=order)
    if results.is_beyond_end:
        return _not_found(results)
    return _render(results)


def _not_found(results: Results) -> ResponseReturnValue:
    html = _render(results, is_missing_page=True)
    return serve_as(policies.NOT_FOUND, make_response(html, HTTPStatus.NOT_FOUND))


def _render(results: Results, *, is_missing_page: bool = False) -> str:
    # Not a macro of the template: its reference to the context would keep the rows in memory.
    return render_template(
        "site/search/show.html",
        results=results,
        address=partial(_address, results.query.text),
        correction_address=_address(results.correction),
        is_missing_page=is_missing_page,
    )


def _address(typed: str, *, number: int = 1, order: str = Order.RELEVANCE) -> str:
    """Return the URL of a page of results, with its parameters in their canonical order."""
    params: dict[str, Any] = {} if order == Order.RELEVANCE else {"order": str(order)}
    if number > 1:
        params["page"] = str(number)
    return url_for(".show", **params, q=typed)


def _read_page() -> int | None:
    """Return the number of the page; None if the parameter is not a number of a page."""
    text = request.args.get("page", "1")
    is_number = text.isascii() and text.isdigit() and len(text) <= MAX_PAGE_DIGITS
    return int(text) if is_number and text == str(int(text)) and text != "0" else None


def _read_order() -> Order | None:
    text = request.args.get("order", Order.RELEVANCE.value)
    return next((order for order in Order if order.value == text), None)
