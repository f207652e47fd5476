"""Literals of JavaScript, one table of cases."""

from __future__ import annotations

from typing import Any

import pytest

from app.publishing.importing.configuration.javascript import read_literals

CASES: list[tuple[str, dict[tuple[str, ...], Any]]] = [
    ("a = 'x'", {("a",): "x"}),
    ('export const A = "it\'s"\nlet b = 2;', {("A",): "it's", ("b",): 2}),
    (
        "x({a: {b: 'c', 'd-e': true}, f: null})",
        {
            ("x()", "a", "b"): "c",
            ("x()", "a", "d-e"): True,
            ("x()", "f"): None,
        },
    ),
    ("({a: ['x', 'y'], b: 'z'})", {("a",): ["x", "y"], ("b",): "z"}),
    ("c.copy('x'); c.copy({'./p/': '/'})", {("copy()",): ["x"], ("copy()", "./p/"): "/"}),
    ("({a: 'x' + y, b: f('z') ? 'p' : 'q'})", {("f()",): ["z"]}),
    ("({a: `x${y}`, b: `plain`})", {("b",): "plain"}),
    ("// a = 'x'\n/* b = 'y' */ c = 'z'", {("c",): "z"}),
    ("a = 'x'; a = 'y'", {("a",): "x"}),
    ("({a: '\\u0041\\'', b: 'http://x.org'})", {("a",): "u0041'", ("b",): "http://x.org"}),
    ("({mode: 'dark' as const})", {("mode",): "dark"}),
    ("module.exports = {a: 'x'}", {("a",): "x"}),
    ("const siteConfig: Config = {a: 'x'}", {("a",): "x"}),
    ("export const SITE = {a: 'x'}", {("SITE", "a"): "x"}),
    ("}}))((", {}),
    ("", {}),
]


@pytest.mark.parametrize(("source", "values"), CASES, ids=[source[:30] for source, _ in CASES])
def test_only_literals_that_stand_alone_are_read(
    source: str, values: dict[tuple[str, ...], Any]
) -> None:
    """A value that is part of an expression is not known, and is left out."""
    assert read_literals(source) == values
