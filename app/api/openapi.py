"""The description of the API in OpenAPI 3.1, made from its routes, their parameters and types.

Pure: routes in, a document out.
"""

from __future__ import annotations

import types
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints, is_typeddict

from app.routing import Number, Slug

from . import shapes
from .descriptions import Description

_SIMPLE = {str: "string", int: "integer", bool: "boolean", type(None): "null"}
_CONVERTERS: Mapping[type, Mapping[str, Any]] = {
    Number: {"type": "integer", "minimum": 1},
    Slug: {"type": "string"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One GET route: its path as a template, its parameters, and what it returns."""

    name: str
    path: str
    summary: str
    path_params: Mapping[str, Any]
    query: tuple[str, ...]
    description: Description


def document(operations: Iterable[Operation], *, title: str, site_url: str) -> dict[str, Any]:
    """Return the OpenAPI document of these routes."""
    components: dict[str, Any] = {}
    paths = {each.path: {"get": _operation(each, components)} for each in operations}
    _schema(shapes.Error, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": "1",
            "description": "Published articles, pages, topics and authors. All requests are GET.",
        },
        "servers": [{"url": site_url}],
        "paths": paths,
        "components": {"schemas": dict(sorted(components.items()))},
    }


def _operation(operation: Operation, components: dict[str, Any]) -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _converted(converter)}
        for name, converter in operation.path_params.items()
    ]
    parameters += [_query_parameter(name, operation.description) for name in operation.query]
    responses = {"200": _content(operation.description, components)}
    if operation.query:
        responses["400"] = _error(operation, "A parameter is not valid.")
    if operation.path_params:
        responses["404"] = _error(operation, "There is nothing at this address.")
    return {
        "operationId": operation.name,
        "summary": operation.summary,
        **({"parameters": parameters} if parameters else {}),
        "responses": responses,
    }


def _query_parameter(name: str, description: Description) -> dict[str, Any]:
    schema = dict(description.query[name])
    sentence = schema.pop("description")
    return {"name": name, "in": "query", "description": sentence, "schema": schema}


def _converted(converter: Any) -> dict[str, Any]:
    return dict(_CONVERTERS[type(converter)])


def _content(description: Description, components: dict[str, Any]) -> dict[str, Any]:
    schemas = [_schema(each, components) for each in description.types]
    schema: dict[str, Any] = {"type": "string"} if description.media_type == "text/csv" else {}
    if schemas:
        schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    text = (description.types[0].__doc__ or "") if description.types else "The file."
    return {"description": text, "content": {description.media_type: {"schema": schema}}}


def _error(operation: Operation, sentence: str) -> dict[str, Any]:
    """Describe an error: an object below /api, a page elsewhere."""
    if not operation.path.startswith("/api"):
        return {"description": sentence, "content": {"text/html": {"schema": {"type": "string"}}}}
    schema = {"$ref": "#/components/schemas/Error"}
    return {"description": sentence, "content": {"application/json": {"schema": schema}}}


def _schema(annotation: Any, components: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a type; typed dictionaries become components."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is None and annotation in _SIMPLE:
        return {"type": _SIMPLE[annotation]}
    if is_typeddict(annotation):
        return _component(annotation, components)
    if origin is Annotated:
        return {**_schema(arguments[0], components), **_keywords(arguments[1:])}
    if origin is list:
        return {"type": "array", "items": _schema(arguments[0], components)}
    if origin in {Union, types.UnionType}:
        return {"anyOf": [_schema(each, components) for each in arguments]}
    raise TypeError(f"{annotation!r} has no JSON schema: use str, int, bool, list or a TypedDict.")


def _component(annotation: Any, components: dict[str, Any]) -> dict[str, Any]:
    name = annotation.__name__
    if name not in components:
        components[name] = {}  # for a type that contains itself
        hints = get_type_hints(annotation, include_extras=True)
        components[name] = {
            "type": "object",
            "description": annotation.__doc__ or "",
            "properties": {key: _schema(hint, components) for key, hint in hints.items()},
            "required": [*hints],
            "additionalProperties": False,
        }
    return {"$ref": f"#/components/schemas/{name}"}


def _keywords(notes: Iterable[shapes.Note]) -> dict[str, Any]:
    return {key: value for note in notes for key, value in asdict(note).items() if value}
