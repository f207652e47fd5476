"""The replacements in `docs/library/coming-from.md` are accepted by the library."""

from __future__ import annotations

import re
from typing import Any

import pytest
from flask import Flask

from app.edge import Edge, Policy, cache_control, cached, days, minutes
from app.edge.policy.cdn_headers import parse_dialects
from app.edge.settings import SETTINGS

from ..library_copy import ROOT

TEXT = (ROOT / "docs/library/coming-from.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines()
    if line.startswith("| ") and "flask-edgecache |" not in line
]
SNIPPETS = sorted({code for row in ROWS for code in re.findall(r"`([^`]+)`", row[1])})
DECORATORS = [code for code in SNIPPETS if code.startswith("@")]
DEFAULTS = [code for code in SNIPPETS if "default=" in code]
SETTING_VALUES = [code for code in SNIPPETS if re.match(r"EDGE\w*=", code)]
NAMES: dict[str, Any] = {
    "PAGE": Policy("PAGE", edge=days(1)),
    **{each.__name__: each for each in (Policy, cache_control, cached, days, minutes)},
}


def header(app: Flask) -> str:
    """Return the Cache-Control header of the home page."""
    return app.test_client().get("/").headers["Cache-Control"]


def test_the_page_has_replacements_of_each_kind() -> None:
    """The tests below have cases."""
    assert len(DECORATORS) >= 6
    assert len(DEFAULTS) == 2
    assert SETTING_VALUES


@pytest.mark.parametrize("code", DECORATORS)
def test_a_decorator_is_accepted_and_sends_a_header(code: str, app: Flask) -> None:
    """A view with it states its caching; only `no_store` makes it no-store."""
    view = eval(code[1:], NAMES)(lambda: "hi")
    app.add_url_rule("/", "home", view)
    assert ("no-store" in header(app)) == ("no_store" in code)


@pytest.mark.parametrize("code", DEFAULTS)
def test_a_default_is_accepted_and_sends_a_header(code: str, bare: Flask) -> None:
    """A view without a policy gets it."""
    bare.add_url_rule("/", "home", lambda: "hi")
    call = code if "(app, " in code else code.replace("init_app(", "init_app(app, ")
    eval(f"edge.{call}", {"edge": Edge(), "app": bare})
    assert "max-age=" in header(bare)


@pytest.mark.parametrize("code", SETTING_VALUES)
def test_a_setting_has_a_value_that_is_accepted(code: str) -> None:
    """The names of edges are known."""
    name, _, value = code.partition("=")
    assert name in {setting.name for setting in SETTINGS}
    if name == "EDGE":
        assert parse_dialects(value)


@pytest.mark.parametrize("code", [each for each in SNIPPETS if each.startswith("edge.")])
def test_a_method_exists(code: str) -> None:
    """The extension has the methods that the page names."""
    for name in re.findall(r"edge\.(\w+)\(", code):
        assert callable(getattr(Edge, name))
