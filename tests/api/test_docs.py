"""The page about the API: its examples show what the API answers."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

DOCS = Path(__file__).resolve().parents[2] / "docs" / "api.md"
EXAMPLE = re.compile(
    r"```sh\ncurl '?(https://example\.org[^'\n]*)'?\n```\n\n```json\n(.*?)```", re.DOTALL
)
EXAMPLES = EXAMPLE.findall(DOCS.read_text(encoding="utf-8"))
SITE = "http://127.0.0.1:8000"


def matches(example: Any, actual: Any) -> bool:
    """Tell whether a response has every field that the page shows, in lists of the same length."""
    if isinstance(example, dict):
        fields = actual if isinstance(actual, dict) else {}
        return all(name in fields and matches(example[name], fields[name]) for name in example)
    if isinstance(example, list):
        return len(example) == len(actual) and all(map(matches, example, actual))
    if isinstance(example, str) and "…" in example:
        pattern = ".*".join(map(re.escape, example.split("…")))
        return re.fullmatch(pattern, actual, re.DOTALL) is not None
    return bool(example == actual and type(example) is type(actual))


def test_the_page_has_examples() -> None:
    """Every request on the page is followed by its response."""
    text = DOCS.read_text(encoding="utf-8")
    assert len(EXAMPLES) == text.count("```sh") == text.count("```json") > 3


@pytest.mark.parametrize(("url", "example"), EXAMPLES, ids=[url for url, _ in EXAMPLES])
def test_an_example_shows_the_response(site_app: Flask, url: str, example: str) -> None:
    """Field by field; a response may have further ones."""
    path = url.removeprefix("https://example.org")
    answer = site_app.test_client().get(path, follow_redirects=True)
    values = json.loads(example.replace("https://example.org", SITE))
    assert answer.json is not None
    assert matches(values, answer.json), answer.text


def test_a_difference_is_noticed() -> None:
    """Another value, another type, a missing field and another length are differences."""
    assert matches({"a": [1, "x…z"]}, {"a": [1, "xyz"], "b": 2})
    others: list[Any] = [{"a": [1]}, {"a": [True, "xyz"]}, {"a": [1, "xy"]}, {}, []]
    for actual in others:
        assert not matches({"a": [1, "x…z"]}, actual)


def test_the_page_names_every_endpoint(app: Flask) -> None:
    """Apart from parts of downloads, which the files name in their Link header."""
    text = DOCS.read_text(encoding="utf-8")
    answer = app.test_client().get("/api").json
    assert answer is not None
    paths = {
        each["path"].replace("{slug}", "<slug>").replace("{number}", "1")
        for each in answer["endpoints"]
    }
    documented_paths = {path for path in paths if f"`{path}`" in text}
    assert paths - documented_paths == {"/downloads/posts/1.csv", "/downloads/posts/1.json"}
