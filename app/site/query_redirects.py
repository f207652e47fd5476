"""Old addresses that differ by their query alone: `/?p=20` and `/index.php?p=20` of WordPress."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response as BaseResponse

from app.edge import cached
from app.edge.flask import serve_as
from app.edge.http.query_string import canonical_query
from app.publishing.paths import QUERY_NAMES
from app.publishing.queries import redirects

from . import policies

bp = Blueprint("query_redirects", __name__)


@bp.get("/index.php")
@cached(policies.REDIRECT, query=QUERY_NAMES)
def show() -> ResponseReturnValue:
    """Redirect the front page of other tools to ours, or to a post by the query."""
    if (response := respond()) is not None:
        return response
    return _redirect_permanently(redirects.target("/index.php") or "/")


def respond() -> BaseResponse | None:
    """Return the redirect of a request with a query; None without a query, at no cost.

    A query that leads nowhere redirects to the front page. That redirect is stored by no cache:
    there is no end of such queries, and one of them may lead to a post tomorrow.
    """
    query = canonical_query(request.query_string.decode(errors="replace"), QUERY_NAMES)
    if not query:
        return None
    target = redirects.target_of_query(request.path, query)
    if target is None:
        return serve_as(policies.NO_STORE, _redirect_permanently("/"))
    return serve_as(policies.REDIRECT, _redirect_permanently(target))


def _redirect_permanently(to: str) -> BaseResponse:
    return make_response(redirect(to, HTTPStatus.MOVED_PERMANENTLY))
