"""The header No-Vary-Search, made from the parameters that a route declares.

A browser then uses a stored page for the same query in another order, or with other parameters.
Only the search has parameters; all other pages redirect to the URL without any.
"""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus

from flask import Blueprint, Response, current_app, request

from app.edge.flask.effective_policy import policy_for_route

FIELD = "No-Vary-Search"


def init_blueprint(blueprint: Blueprint) -> None:
    """Add the header to the pages of a blueprint."""
    blueprint.after_request(add_header)


def format_header(params: Iterable[str]) -> str:
    """Return the header of a page that differs by these parameters only."""
    names = " ".join(f'"{name}"' for name in sorted(params))
    return f"key-order, params, except=({names})"


def add_header(response: Response) -> Response:
    """Write the header on a complete page whose route declares parameters."""
    params = policy_for_route(current_app, request.endpoint).query
    if params and response.status_code == HTTPStatus.OK:
        response.headers[FIELD] = format_header(params)
    return response
