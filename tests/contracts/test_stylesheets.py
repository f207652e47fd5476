"""The stylesheets work in both text directions: they contain no physical left, right, top or bottom.

`width` and `height` are allowed, since every language that we set is written in horizontal lines.
`vertical-align: top` is allowed, since it has no logical form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config import ROOT

STYLESHEETS = sorted((ROOT / "static").rglob("*.css"))
SIDES = r"left|right|top|bottom"
PHYSICAL_PROPERTY = re.compile(rf"(?:^|-)(?:{SIDES})(?:-|$)")
PHYSICAL_VALUE = re.compile(rf"(?<![\w-])(?:{SIDES})(?![\w-])")
FOUR_SIDES = {"margin", "padding", "inset", "border-width", "border-style", "border-color"}
FOUR_SIDES |= {"border-radius", "scroll-margin", "scroll-padding"}


def find_declarations(css: str) -> Iterator[tuple[str, str]]:
    """Yield each property with its value, without comments and strings."""
    css = re.sub(r"/\*.*?\*/|\"[^\"]*\"|'[^']*'", "", css, flags=re.DOTALL)
    for name, value in re.findall(r"(?<=[{};(\s])([a-z-]+)\s*:\s*([^;{}]*)(?=[;}])", f"{css};"):
        yield name, value.strip()


def split_value(value: str) -> list[str]:
    """Split a value at the spaces outside of parentheses."""
    parts, depth = [""], 0
    for character in value:
        depth += (character == "(") - (character == ")")
        if character == " " and not depth:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part]


def is_physical(name: str, value: str) -> bool:
    """Tell whether a declaration looks different when the text runs from right to left."""
    sides = split_value(value)
    has_two_sides = name in FOUR_SIDES and len(sides) == 4 and sides[1] != sides[3]
    has_side = name != "vertical-align" and PHYSICAL_VALUE.search(value) is not None
    return bool(PHYSICAL_PROPERTY.search(name)) or has_side or has_two_sides


@pytest.mark.parametrize("stylesheet", STYLESHEETS, ids=lambda path: path.name)
def test_a_stylesheet_has_only_logical_properties(stylesheet: Path) -> None:
    """Every declaration is the same for both text directions, print.css included."""
    declarations = [*find_declarations(stylesheet.read_text(encoding="utf-8"))]
    assert len(declarations) > 15
    assert [pair for pair in declarations if is_physical(*pair)] == []


@pytest.mark.parametrize("template", sorted((ROOT / "templates").rglob("*.html")), ids=str)
def test_a_template_has_no_style_of_its_own(template: Path) -> None:
    """Styles stand in the stylesheets, where the other test reads them."""
    assert not re.search(r"<style|\sstyle=", template.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("css", "expected"),
    [
        ("a { margin-left: 0 }", True),
        ("a{border-top-left-radius: 1px;}", True),
        ("a { color: red; left: 0; }", True),
        ("a{top:0}", True),
        ("a { text-align: right }", True),
        ("a { float: left }", True),
        ("a { padding: 0 1em 0 2em; }", True),
        (
            "@supports (top: anchor(--a top)) { a { color: red } a { width: anchor(--b left) } }",
            True,
        ),
        ("a { background: linear-gradient(to right, red, blue) }", True),
        ("a { margin: 0 1em 0 1em; /* left: 0; */ }", False),
        ("a { inset: -6px 0 auto; vertical-align: top; }", False),
        ("a { margin-inline-start: 1em; text-align: end; float: inline-start }", False),
        ("a { content: 'left: 0;'; font: 1em 'Bottom' }", False),
    ],
)
def test_physical_declarations_are_recognised(css: str, *, expected: bool) -> None:
    """Properties, values and shorthands with two different sides are found; comments are not."""
    assert any(is_physical(*pair) for pair in find_declarations(css)) is expected
