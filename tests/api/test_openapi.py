"""The OpenAPI document: complete, consistent, and true of every response."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, TypedDict

import pytest
from flask import Flask

from app.api import openapi
from app.api.descriptions import Description, description_of
from app.api.shapes import Note
from app.edge.flask.routes import routes

PREFIXES = ("/api", "/downloads")
VALUES = {"slug": ("lanterns", "about"), "number": (1,)}
"""Values of path parameters that name something on the site of the tests."""


def document_of(app: Flask) -> dict[str, Any]:
    """Return the document that readers get."""
    answer = app.test_client().get("/api/openapi.json")
    assert isinstance(answer.json, dict)
    return answer.json


TYPES: dict[str, type] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "null": type(None),
    "object": dict,
    "array": list,
}


def problems(value: Any, schema: Any, components: Any, at: str = "$") -> Iterator[str]:
    """Yield where a value contradicts a schema; only keywords that the document may use."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/components/schemas/")
        yield from problems(value, components[name], components, at)
    if "anyOf" in schema:
        alternatives = [[*problems(value, each, components, at)] for each in schema["anyOf"]]
        if all(alternatives):
            yield min(alternatives, key=len)[0]
    if "type" in schema and type(value) is not TYPES[schema["type"]]:
        yield f"{at} is {value!r}, not {schema['type']}"
        return
    yield from _problems_of_format(value, schema.get("format"), at)
    for item in value if "items" in schema else ():
        yield from problems(item, schema["items"], components, f"{at}[]")
    if "properties" in schema:
        yield from _problems_of_object(value, schema, components, at)


def _problems_of_format(value: Any, form: str | None, at: str) -> Iterator[str]:
    if form is None or value is None:
        return
    if form == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        yield f"{at} has no offset"
    if form == "uri" and not value.startswith("http"):
        yield f"{at} is no absolute URL"


def _problems_of_object(value: Any, schema: Any, components: Any, at: str) -> Iterator[str]:
    assert schema["additionalProperties"] is False
    properties = schema["properties"]
    if not set(value) == set(properties) == set(schema["required"]):
        yield f"{at} has the fields {sorted(value)}"
    for name in set(value) & set(properties):
        yield from problems(value[name], properties[name], components, f"{at}.{name}")


def test_every_route_of_the_api_is_described(app: Flask) -> None:
    """With the parameters that its policy declares, each with a sentence."""
    for route in routes(app):
        if route.rule.startswith(PREFIXES):
            description = description_of(app.view_functions[route.endpoint])
            assert description is not None, f"{route.rule}: mark its view with @describe(…)"
            assert set(description.query) == set(route.query)
    paths = {re.sub(r"\{\w+\}", "x", path) for path in document_of(app)["paths"]}
    rules = [route.rule for route in routes(app) if route.rule.startswith(PREFIXES)]
    assert paths == {re.sub(r"<[^>]+>", "x", rule) for rule in rules}


def test_the_document_has_what_openapi_requires(app: Flask) -> None:
    """Version, title, unique operation ids, and a parameter for each variable of a path."""
    document = document_of(app)
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= set(document["info"])
    assert document["servers"] == [{"url": "http://127.0.0.1:8000"}]
    operations = {path: item["get"] for path, item in document["paths"].items()}
    ids = [operation["operationId"] for operation in operations.values()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z_]+", each) for each in ids)
    for path, operation in operations.items():
        parameters = operation.get("parameters", [])
        in_path = {each["name"] for each in parameters if each["in"] == "path"}
        assert in_path == set(re.findall(r"\{(\w+)\}", path))
        assert all(each["required"] for each in parameters if each["in"] == "path")
        assert all(each["schema"]["type"] for each in parameters)
        assert operation["summary"]
        assert all(response["description"] for response in operation["responses"].values())


def test_every_reference_of_the_document_exists(app: Flask) -> None:
    """And no component is left over."""
    document = document_of(app)
    references = set(re.findall(r"#/components/schemas/(\w+)", app.json.dumps(document)))
    assert references == set(document["components"]["schemas"])


def test_every_response_has_the_described_shape(site_app: Flask) -> None:
    """Each path with values that name something, and with ones that name nothing."""
    document = document_of(site_app)
    components = document["components"]["schemas"]
    statuses = set()
    for path, item in document["paths"].items():
        for url in _urls(path, item["get"]):
            answer = site_app.test_client().get(url, follow_redirects=True)
            description = item["get"]["responses"][str(answer.status_code)]
            statuses.add((path, answer.status_code))
            (media_type,) = description["content"]
            assert answer.content_type.partition(";")[0] == media_type
            if answer.is_json:
                schema = description["content"][media_type]["schema"]
                assert [*problems(answer.json, schema, components)] == [], url
    assert {(path, 200) for path in document["paths"]} <= statuses
    with_errors = {
        (path, int(status))
        for path, item in document["paths"].items()
        for status in item["get"]["responses"]
    }
    assert statuses == with_errors


def _urls(path: str, operation: Any) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    in_path = [each["name"] for each in parameters if each["in"] == "path"]
    for position in range(3 if in_path else 1):
        unknown = {"slug": "none", "number": 999}
        values = {name: (*VALUES[name], *(unknown[name],) * 3)[position] for name in in_path}
        yield path.format(**values)
    if any(each["in"] == "query" for each in parameters):
        yield f"{path}?updated_since=2024-01-03T00:00:00Z"
        yield f"{path}?updated_since=never"


def test_the_list_of_endpoints_leads_to_each(site_app: Flask) -> None:
    """It names the same paths as the document, with their parameters."""
    answer = site_app.test_client().get("/api").json
    assert answer is not None
    assert answer["openapi"] == "http://127.0.0.1:8000/api/openapi.json"
    assert {each["path"] for each in answer["endpoints"]} == set(document_of(site_app)["paths"])
    (posts,) = [each for each in answer["endpoints"] if each["path"] == "/api/posts"]
    assert posts["parameters"] == ["after", "updated_since"]


class Tree(TypedDict):
    """A type that contains itself."""

    name: Annotated[str | None, Note(description="A name.")]
    children: list[Tree]


def test_a_type_becomes_a_schema() -> None:
    """Lists, null, notes, and types that contain themselves."""
    operation = openapi.Operation(
        name="tree",
        path="/tree",
        summary="A tree.",
        path_params={},
        query=(),
        description=Description(types=(Tree,)),
    )
    document = openapi.document([operation], title="T", site_url="https://example.com")
    assert document["components"]["schemas"]["Tree"] == {
        "type": "object",
        "description": "A type that contains itself.",
        "properties": {
            "name": {"anyOf": [{"type": "string"}, {"type": "null"}], "description": "A name."},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Tree"}},
        },
        "required": ["name", "children"],
        "additionalProperties": False,
    }


@pytest.mark.parametrize("annotation", [float, dict, set[str]])
def test_a_type_without_a_schema_is_refused(annotation: Any) -> None:
    """The message says which types may be used."""
    with pytest.raises(TypeError, match="has no JSON schema: use str"):
        openapi._schema(annotation, {})
