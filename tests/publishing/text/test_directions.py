"""Blocks in another direction than the text around them, in rendered texts."""

from __future__ import annotations

import re

import pytest

from app.publishing.text import Typography, render

ARABIC = "مرحبا بكم في المدينة"
ENGLISH = "Welcome to the town"
MIXED = "قال أحدهم: The quick brown fox jumps over the lazy dog"


def html(markdown: str, language: str) -> str:
    """Return the rendered text of a post in a language."""
    return render(
        markdown,
        resolve_image=lambda _source: None,
        resolve_link=lambda _href: None,
        typography=Typography(language=language),
    ).html


@pytest.mark.parametrize(
    ("language", "text", "attribute"),
    [
        ("ar", ENGLISH, ' dir="ltr"'),
        ("ar", ARABIC, ""),
        ("ar", MIXED, ""),
        ("ar", "The word مرحبا means welcome", ' dir="ltr"'),
        ("ar", "12 345", ""),
        ("ar", "`pip install`", ""),
        ("en", ENGLISH, ""),
        ("en", ARABIC, ' dir="rtl"'),
        ("en", f"HTTP/3: {ARABIC}", ' dir="rtl"'),
        ("en", f"{ENGLISH}: {ARABIC[:5]}", ""),
        ("en", "12 345", ""),
        ("ja", ARABIC, ' dir="rtl"'),
    ],
)
def test_a_paragraph_has_its_own_direction(language: str, text: str, attribute: str) -> None:
    """Only if it differs from the direction of the text."""
    assert html(text, language).startswith(f"<p{attribute}>")


def test_a_heading_and_a_quotation_have_their_own_direction() -> None:
    """What is inside has the direction of its block and does not repeat it."""
    page = html(f"## {ENGLISH}\n\n> {ENGLISH}\n> {ENGLISH}\n>\n> {ARABIC}\n", "ar")
    assert re.search(r'<h2 [^>]*dir="ltr"', page)
    assert f'<blockquote dir="ltr">\n<p>{ENGLISH}' in page
    assert f'<p dir="rtl">{ARABIC}' in page


def test_a_list_has_one_direction() -> None:
    """Its bullets stay in one line; a list in the text's own direction is left alone."""
    english, arabic = html(f"- {ENGLISH}\n- Two\n", "ar"), html(f"- {ARABIC}\n- Two\n", "ar")
    assert '<ul dir="ltr">\n<li>' in english
    assert "dir=" not in arabic


def test_a_cell_has_its_own_direction() -> None:
    """In an Arabic table "12 MB" is otherwise shown as "MB 12"."""
    page = html("| أداة | حجم |\n|---|---:|\n| أداة | 12 MB |\n", "ar")
    assert '<td class="align-right" dir="ltr">12 MB</td>' in page
    assert page.count("dir=") == 1


def test_a_direction_that_an_author_has_set_stays() -> None:
    """Also below the element."""
    text = f'<div dir="rtl"><p>{ENGLISH}</p></div>\n'
    assert html(text, "en").count("dir=") == 1


@pytest.mark.parametrize("block", ["```\n{}\n```", "    {}", "$$\\text{{{}}}$$"])
def test_code_and_formulas_have_no_direction_of_their_own(block: str) -> None:
    """The style sheet sets them from left to right."""
    assert "dir=" not in html(block.format(ARABIC), "en")
