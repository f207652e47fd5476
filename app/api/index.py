"""The list of all endpoints, and their description in OpenAPI."""

from __future__ import annotations

import re
from collections.abc import Iterator

from flask import Blueprint, current_app, jsonify
from flask.typing import ResponseReturnValue
from werkzeug.routing import Rule

from app.edge import cached
from app.edge.flask.routes import routes
from app.publishing.queries import site

from . import openapi, policies, serializers, shapes
from .descriptions import describe, description_of

bp = Blueprint("index", __name__, url_prefix="/api")

_VARIABLE = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")


@bp.get("")
@cached(policies.API)
@describe(shapes.EndpointList)
def show() -> ResponseReturnValue:
    """The endpoints of the API."""
    endpoints = [
        shapes.Endpoint(
            path=each.path, description=each.summary, parameters=[*each.path_params, *each.query]
        )
        for each in find_operations()
    ]
    return jsonify(
        shapes.EndpointList(openapi=serializers.url("/api/openapi.json"), endpoints=endpoints)
    )


@bp.get("/openapi.json")
@cached(policies.API)
@describe()
def describe_all() -> ResponseReturnValue:
    """The API in OpenAPI 3.1."""
    (title,) = site.columns("title")
    site_url = current_app.config["SITE_URL"]
    return jsonify(openapi.document(find_operations(), title=title, site_url=site_url))


def find_operations() -> Iterator[openapi.Operation]:
    """Yield the routes of the API by path, with the parameters that their policies declare."""
    rules = {rule.endpoint: rule for rule in current_app.url_map.iter_rules()}
    for route in routes(current_app):
        view = current_app.view_functions.get(route.endpoint)
        description = description_of(view) if view is not None else None
        if view is None or description is None:
            continue
        yield openapi.Operation(
            name=route.endpoint.removeprefix("api.").replace(".", "_"),
            path=_VARIABLE.sub(r"{\1}", route.rule),
            summary=(view.__doc__ or "").partition("\n")[0],
            path_params=_converters(rules[route.endpoint]),
            query=route.query,
            description=description,
        )


def _converters(rule: Rule) -> dict[str, object]:
    return {name: rule._converters[name] for name in sorted(rule.arguments)}  # noqa: SLF001 - Werkzeug has no public name for it
