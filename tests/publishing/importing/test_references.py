from __future__ import annotations

from time import process_time

import pytest

from app.publishing.importing import references

FOUND = {
    "an image": ("![a](b.png)", ["b.png"]),
    "a link": ("[a](b.md#c)", ["b.md#c"]),
    "a link with a title": ('[a](b.md "t")', ["b.md"]),
    "an angled link": ("[a](<b c.md>)", ["b c.md"]),
    "parentheses in a link": ("[a](b_(c).md)", ["b_(c).md"]),
    "a linked image": ("[![a](b.png)](c.md)", ["b.png", "c.md"]),
    "a definition": ("[a][b]\n\n[b]: c.md", ["c.md"]),
    "an angled definition": ("[b]: <c d.md>", ["c d.md"]),
    "HTML": ("<img alt='x' src=\"b.png\"> <a href='c.md'>", ["b.png", "c.md"]),
    "a code span": ("`[a](b.md)` [c](d.md)", ["d.md"]),
    "a long code span": ("``[a](`b.md)`` [c](d.md)", ["d.md"]),
    "a lonely backtick": ("` [a](b.md)\n\n` [c](d.md)", ["b.md", "d.md"]),
    "a code block": ("```\n[a](b.md)\n```\n[c](d.md)", ["d.md"]),
    "a code block in a list": ("- x\n  ~~~~\n  [a](b.md)\n  ~~~\n  ~~~~\n[c](d.md)", ["d.md"]),
    "nothing": ("plain ] ( text", []),
}


@pytest.mark.parametrize(("markdown", "targets"), FOUND.values(), ids=FOUND.keys())
def test_targets_are_found_outside_code(markdown: str, targets: list[str]) -> None:
    """Each place of the text is where the target stands."""
    references_found = list(references.find(markdown))
    assert [reference.target for reference in references_found] == targets
    assert all(markdown[one.start : one.end] == one.target for one in references_found)


def test_a_reference_knows_its_line() -> None:
    """Lines count from 1."""
    references_found = references.find("a\n[b](c)\n\n[d](e) [f](g)")
    assert [reference.line for reference in references_found] == [2, 4, 4]


def test_only_what_is_named_is_replaced() -> None:
    """The same words in code, in text and in longer targets stay."""
    text = "a.png `![](a.png)` ![](a.png) [x](a.png.md) <img src='a.png'>"
    replaced = references.replace(text, {"a.png": "/m/a.png"})
    assert replaced == "a.png `![](a.png)` ![](/m/a.png) [x](a.png.md) <img src='/m/a.png'>"


HOSTILE = {
    "spaces": " " * 200_000,
    "brackets": "](" * 100_000,
    "opening parentheses": "](" + "a(" * 100_000,
    "backticks of every length": " ".join("`" * n for n in range(600)),
    "spans": "`a` " * 50_000,
    "tags": "<a " * 70_000,
    "one long tag": "<a " + "x " * 100_000,
    "list markers": "- " * 100_000,
    "definitions": "[a]: \n" * 30_000,
}


@pytest.mark.parametrize("markdown", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_text_does_not_hang(markdown: str) -> None:
    """The time grows with the length, not with its square."""
    start = process_time()
    list(references.find(markdown))
    assert process_time() - start < 2


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[![a](i)](l)", [("i", True), ("l", False)]),
        ("![a [b] c](i) [a](l)", [("i", True), ("l", False)]),
        ("<img alt='x' src='i'> <a href='l'>", [("i", True), ("l", False)]),
        ("![r][One Two]\n\n[one  two]: i", [("i", True)]),
        ("![r][] ![s]\n\n[r]: i\n[s]: j\n[t]: l", [("i", True), ("j", True), ("l", False)]),
        ("[r][1]\n\n[1]: l", [("l", False)]),
    ],
)
def test_an_image_is_told_from_a_link(markdown: str, expected: list[tuple[str, bool]]) -> None:
    """Images are fetched from other sites, and links are not."""
    assert [(one.target, one.is_image) for one in references.find(markdown)] == expected
