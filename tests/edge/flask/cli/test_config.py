"""`flask edge config …` prints the configuration of each edge."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from app.edge import Freshness, Policy, cached
from app.edge.flask import Edge
from app.edge.flask.cli import config

from ...cdn.test_apply_rules import TOKEN, ZONE, Rulesets

SECRET = "a-secret-of-the-tests"
SITE = ["--site", "https://example.org"]


@pytest.fixture
def app() -> Flask:
    """An app with one public route, and credentials for everything."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        EDGE="varnish",
        EDGE_GATEWAY="off",
        EDGE_VARNISH_SECRET=SECRET,
        EDGE_VARNISH_NODES="http://127.0.0.1:1",
        EDGE_CLOUDFLARE_TOKEN=TOKEN,
        EDGE_CLOUDFLARE_ZONE=ZONE,
    )
    Edge().init_app(app)

    @app.get("/page/<name>")
    @cached(Policy(name="PAGE", browser=Freshness(must_revalidate=True)), query=("n",))
    def page(name: str) -> str:
        return name

    return app


def run(app: Flask, *words: str, stdin: str = "") -> Any:
    """Run a command and return its result."""
    return app.test_cli_runner().invoke(args=["edge", "config", *words], input=stdin)


@pytest.mark.parametrize(
    "edge", ["varnish", "nginx", "cloudflare", "fastly", "cloudfront", "bunny"]
)
def test_every_edge_has_a_command(app: Flask, edge: str) -> None:
    """Each output names the app's routes and contains no secret."""
    result = run(app, edge, *SITE)
    assert result.exit_code == 0, result.output
    assert "/page/" in result.output or edge == "bunny"
    assert SECRET not in result.output
    assert TOKEN not in result.output


def test_a_secret_is_printed_on_demand(app: Flask) -> None:
    """The output is for a file that only Varnish can read."""
    assert f'"{SECRET}"' in run(app, "varnish", *SITE, "--with-secret").output
    app.config["EDGE_VARNISH_SECRET"] = ""
    result = run(app, "varnish", *SITE, "--with-secret")
    assert result.exit_code == 2
    assert "set FLASK_EDGE_VARNISH_SECRET first" in result.output


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("varnish",), "pass --site"),
        (("varnish", *SITE, "--origin", "ftp://a"), "is not a valid origin"),
        (("varnish", *SITE, "--purger", "all"), "is not a valid network"),
        (("nginx", *SITE, "--listen", "80 {"), "is not a valid nginx listen"),
    ],
    ids=["site", "origin", "purger", "listen"],
)
def test_a_mistake_is_one_sentence(app: Flask, words: tuple[str, ...], sentence: str) -> None:
    """The output names the mistake and contains no traceback."""
    result = run(app, *words)
    assert result.exit_code == 1
    assert result.output.startswith("Error: ")
    assert sentence in result.output
    assert result.output.count("\n") == 1


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rulesets]:
    """A zone whose API is on loopback."""
    with Rulesets() as server:
        monkeypatch.setattr(config, "ADDRESS", server.url)
        yield server


def test_applying_shows_the_difference_and_asks(app: Flask, api: Rulesets) -> None:
    """Declining changes nothing, confirming sets the rules, and a second run has nothing to do."""
    api.somebody_adds("theirs")
    declined = run(app, "cloudflare", *SITE, "--apply", stdin="n\n")
    assert declined.exit_code == 1
    assert '+    "ref": "broadsheet_pages"' in declined.output
    assert "stay unchanged: 1" in declined.output
    assert api.version == 1
    assert run(app, "cloudflare", *SITE, "--apply", stdin="y\n").exit_code == 0
    assert [rule["ref"] for rule in api.rules][-1] == "theirs"
    assert "already" in run(app, "cloudflare", *SITE, "--apply", "--yes").output
    assert api.version == 2


def test_applying_with_a_wrong_token_is_one_sentence(app: Flask, api: Rulesets) -> None:
    """The sentence does not contain the token."""
    app.config["EDGE_CLOUDFLARE_TOKEN"] = "wrong-token"
    result = run(app, "cloudflare", *SITE, "--apply", "--yes")
    assert result.exit_code == 1
    assert "the credentials were rejected" in result.output
    assert "wrong-token" not in result.output
    assert api.version == 0


def test_a_zone_is_an_id(app: Flask, api: Rulesets) -> None:
    """Another value would become part of a URL."""
    app.config["EDGE_CLOUDFLARE_ZONE"] = "example.org/../x"
    result = run(app, "cloudflare", *SITE, "--apply", "--yes")
    assert result.exit_code == 2
    assert "32 hexadecimal digits" in result.output
    assert api.requests == []


def test_cloudflare_is_printed_as_json_or_terraform(app: Flask) -> None:
    """For those who do not use --apply."""
    rules = json.loads(run(app, "cloudflare", *SITE).output)["rules"]
    assert "broadsheet_queries" in [rule["ref"] for rule in rules]
    app.config["EDGE_CLOUDFLARE_PLAN"] = "enterprise"
    text = run(app, "cloudflare", *SITE, "--terraform").output
    assert 'resource "cloudflare_ruleset"' in text
    assert 'list = ["n"]' in text
