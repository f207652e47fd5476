"""The code of `docs/library/recipes.md` runs, and sends the headers that the page states."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ..library_copy import ROOT, copy_library, run_code
from .code_blocks import REQUEST_BLOCKS, python_blocks

PAGE = ROOT / "docs/library/recipes.md"
NEVER = "no-cache, no-store"
FIELDS = '"Authorization, Set-Cookie"'

CACHE_CONTROL: dict[str, dict[str, str]] = {
    "A decorator of your own: `docache(minutes, content_type)`": {
        "/summary": "public, max-age=300"
    },
    "Cache the whole app, except some pages": {
        "/": "no-store",
        "/page": "max-age=120",
        "/about": "max-age=300",
        "/nowhere": "no-store",
    },
    "Directives for one view": {
        "/": NEVER,
        "/api/cats": "max-age=120",
        "/api/user-profile": f"private={FIELDS}, max-age=0",
        "/api/sensitive": 'max-age=60, no-cache="Authorization"',
    },
    "Fields that no shared cache may store or reuse": {
        "/sensitive": f"max-age=0, no-cache={FIELDS}",
        "/user": 'private="Set-Cookie", max-age=0',
    },
    "Class-based views": {"/": NEVER},
    "A default for all views": {"/": "max-age=120", "/other": f"max-age=300, no-cache={FIELDS}"},
    "Choose the responses that a default applies to": {"/": NEVER, "/nowhere": NEVER},
    "Headers that a view writes": {
        "/": "no-store",
        "/data": "no-cache",
        "/cookie": "no-store",
        "/file": "no-store",
    },
    "Security headers for every response": {
        "/cache": "public, max-age=60",
        "/download": "max-age=60",
        "/nowhere": "no-store",
    },
    "Lifetimes from an `after_request` function": {"/": "max-age=30", "/nowhere": "no-store"},
    "Static files": {"/": "max-age=0"},
    "A page that changes at midnight": {"/": "max-age=0, must-revalidate"},
}

Responses = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def responses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Responses]:
    """The responses of each recipe, by heading and path; each path is requested three times."""
    folder = tmp_path_factory.mktemp("recipes")
    packages = copy_library(tmp_path_factory.mktemp("packages"))
    blocks = [
        [heading, code, list(CACHE_CONTROL.get(heading, {}))]
        for heading, code in python_blocks(PAGE)
    ]
    result: dict[str, Responses] = json.loads(
        run_code(REQUEST_BLOCKS.format(blocks=blocks), packages=packages, cwd=folder)
    )
    return result


def test_every_recipe_is_run() -> None:
    """The page has no code that this test does not know, and one block for each heading."""
    assert [heading for heading, _ in python_blocks(PAGE)] == list(CACHE_CONTROL)


@pytest.mark.parametrize("heading", CACHE_CONTROL)
def test_a_recipe_sends_the_headers_that_the_page_states(
    heading: str, responses: dict[str, Responses]
) -> None:
    """Cache-Control of each page of the recipe."""
    headers = {path: each["headers"] for path, each in responses[heading].items()}
    actual = {path: fields["Cache-Control"] for path, fields in headers.items()}
    assert actual == CACHE_CONTROL[heading]


@pytest.mark.parametrize("heading", CACHE_CONTROL)
def test_a_shared_page_of_a_recipe_is_stored_and_a_page_of_no_store_is_not(
    heading: str, responses: dict[str, Responses]
) -> None:
    """The last request for a page is a HIT if shared caches may store it."""
    for path, each in responses[heading].items():
        header = CACHE_CONTROL[heading][path]
        if "no-store" in header:
            assert not each["is_hit"], path
        elif header != "no-cache" and "max-age=0" not in header:
            assert each["is_hit"], path


def test_the_recipes_keep_what_the_page_says_about_bodies_and_other_fields(
    responses: dict[str, Responses],
) -> None:
    """Content type, Expires, security headers and the URL of a static file."""
    summary = responses["A decorator of your own: `docache(minutes, content_type)`"]["/summary"]
    assert summary["headers"]["Content-Type"] == "application/json"
    assert summary["headers"]["Expires"].endswith(" GMT")
    assert json.loads(summary["text"]) == {"count": 5}
    for page in responses["Security headers for every response"].values():
        assert page["headers"]["X-Frame-Options"] == "SAMEORIGIN"
    page = responses["Headers that a view writes"]["/"]
    assert (page["headers"]["X-Powered-By"], page["text"]) == ("Flask", "Welcome to my site!")
    cookie = responses["Headers that a view writes"]["/cookie"]
    assert cookie["headers"]["Set-Cookie"] == "user=123; HttpOnly"
    assert "/site.css" in responses["Static files"]["/"]["text"]
    assert "/static/site.css" not in responses["Static files"]["/"]["text"]
