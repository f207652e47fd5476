"""`flask edge routes`: every route with its policy, for people and for programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from flask import Blueprint

from app.edge import NO_STORE, cached

if TYPE_CHECKING:
    from flask import Flask

    from app.edge import Policy


@pytest.fixture
def site(app: Flask, policy: Policy) -> Flask:
    """Return an app with one route of each kind."""
    app.add_url_rule(
        "/search", "search", cached(policy, query=("q",), headers=("Accept-Language",))(lambda: "")
    )
    app.add_url_rule("/nothing", "nothing", lambda: "")
    app.add_url_rule("/send", "send", lambda: "", methods=["POST"])
    studio = cached(NO_STORE)(Blueprint("studio", __name__, url_prefix="/studio"))
    studio.add_url_rule("/" + "deep/" * 30, "edit", lambda: "")
    app.register_blueprint(studio)
    return app


def test_as_json(site: Flask) -> None:
    """Every field of every route, in the order of the rules."""
    result = site.test_cli_runner().invoke(args=["edge", "routes", "--json"])
    listed = {route["endpoint"]: route for route in json.loads(result.output)}
    assert listed["search"] == {
        "rule": "/search",
        "endpoint": "search",
        "methods": ["GET"],
        "policy": "ARTICLE",
        "source": "view",
        "browser": "revalidates each time",
        "edge": "keeps it for 1 day, then up to 1 hour more while it revalidates, one copy per "
        "Accept-Language",
        "edges": {"cloudflare": "keeps nothing: it does not vary its copies by Accept-Language"},
        "query": ["q"],
        "headers": ["Accept-Language"],
        "reason": None,
    }
    assert listed["nothing"]["reason"] == "unmarked"
    assert listed["send"]["reason"] == "unsafe-method"
    assert listed["studio.edit"]["source"] == "blueprint"


def test_declared_languages_are_listed(site: Flask, policy: Policy) -> None:
    """In both forms; the first is the default."""
    site.add_url_rule("/l", "l", cached(policy, languages=("en", "pt-BR"))(lambda: ""))
    runner = site.test_cli_runner()
    listed = json.loads(runner.invoke(args=["edge", "routes", "--json"]).output)
    [route] = [route for route in listed if route["endpoint"] == "l"]
    assert route["languages"] == ["en", "pt-BR"]
    assert route["headers"] == ["Accept-Language"]
    assert "    languages en, pt-BR" in runner.invoke(args=["edge", "routes"]).output.splitlines()


def test_as_a_table(site: Flask) -> None:
    """In eighty columns, without colours if the output is no terminal."""
    result = site.test_cli_runner().invoke(args=["edge", "routes"], env={"COLUMNS": "80"})
    lines = result.output.splitlines()
    assert max(map(len, lines)) <= 80
    assert "\x1b" not in result.output
    start = lines.index("GET /search")
    assert lines[start : start + 7] == [
        "GET /search",
        "    ARTICLE, set by the view",
        "    browser revalidates each time",
        "    edge keeps it for 1 day, then up to 1 hour more while it revalidates, one",
        "        copy per Accept-Language",
        "    cloudflare keeps nothing: it does not vary its copies by Accept-Language",
        "    reads ?q",
    ]
    assert "    NO_STORE, set by nothing (unmarked)" in lines


def test_in_colours(site: Flask) -> None:
    """On a terminal."""
    result = site.test_cli_runner().invoke(args=["edge", "routes"], color=True)
    assert "\x1b[32m" in result.output
