from __future__ import annotations

import time

import pytest

from app.publishing.importing.markup import convert_markup


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("!!! note\n    a\n\n    b\n", "> [!NOTE]\n> a\n>\n> b\n"),
        ('!!! tip "A *title*"\n    a\n', "> [!TIP]\n> **A *title***\n>\n> a\n"),
        ('!!! danger ""\n    a\n', "> [!CAUTION]\n> a\n"),
        ("??? warning\n    a\n", "> [!WARNING]\n> a\n"),
        ('???+ info inline end "T"\n    a\n', "> [!NOTE]\n> **T**\n>\n> a\n"),
        ("!!! recipe\n    a\n", "> [!NOTE]\n> **Recipe**\n>\n> a\n"),
        ("!!! note\n\ta\nb\n", "> [!NOTE]\n> a\n\nb\n"),
        ("!!! note\n\n    a\n", "> [!NOTE]\n>\n> a\n"),
        ("!!! note\n    !!! tip\n        a\n    b\n", "> [!NOTE]\n> > [!TIP]\n> > a\n>\n> b\n"),
        ("* i\n\n    !!! note\n        a\n", "* i\n\n    > [!NOTE]\n    > a\n"),
        (
            "!!! note\n\n    ```\n    x\n\n    y\n    ```\n",
            "> [!NOTE]\n>\n> ```\n> x\n>\n> y\n> ```\n",
        ),
        ("!!! wow this is great\n\nb\n", None),
        ("Really!!! note\n    a\n", None),
        ("```\n!!! note\n    a\n```\n", None),
    ],
)
def test_an_admonition_becomes_a_quote_with_a_label(text: str, markdown: str | None) -> None:
    """The kind, the title and the indented text are kept; other text is not changed."""
    assert convert_markup(text).text == (text if markdown is None else markdown)


def test_each_line_keeps_its_number() -> None:
    """A remark about a line inside an admonition names the line of the file."""
    converted = convert_markup('a\n\n!!! note "T"\n    b\n\nc')
    numbers = dict(zip(converted.text.split("\n"), converted.lines, strict=True))
    assert (numbers["a"], numbers["> b"], numbers["c"]) == (1, 4, 6)


@pytest.mark.parametrize(
    "line", ["!!! note\n", "    !!! note\n", '!!! note "', "??? a b c d e f\n"]
)
def test_hostile_admonitions_take_linear_time(line: str) -> None:
    """A text of 200 KB is converted in a few seconds on a busy machine."""
    start = time.process_time()
    convert_markup(line * (200_000 // len(line)))
    assert time.process_time() - start < 10


def test_deeply_nested_admonitions_are_bounded() -> None:
    """Nesting can't multiply the size of a text: the deepest levels stay as text."""
    text = "\n".join(f"{'    ' * depth}!!! note" for depth in range(1500)) + "\n"
    assert len(convert_markup(text).text) < 20 * len(text)
