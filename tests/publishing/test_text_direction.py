"""The direction of texts without a declared language."""

from __future__ import annotations

import sys
import unicodedata

import pytest

from app.publishing.text_direction import choose_dir


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Lanterns", "auto"),
        ("مرحبا بالعالم", "auto"),
        ("שלום", "auto"),
        ("CSS للمبتدئين: كيف تعمل", "rtl"),
        ("العربية in an English sentence", "ltr"),
        ("a אב", "rtl"),
        ("אבג abcd", "ltr"),
        ("a ﻣﺮﺣﺒﺎ", "rtl"),
        ("2024!", "auto"),
        ("", "auto"),
        ("漢字", "auto"),
    ],
)
def test_dir_is_auto_unless_the_first_letter_misleads(text: str, expected: str) -> None:
    """`dir="auto"` uses the first letter, so a title of mixed scripts gets its main direction."""
    assert choose_dir(text) == expected


def test_every_letter_from_right_to_left_counts() -> None:
    """Each such letter of Unicode outweighs a Latin letter when there are two of it."""
    letters = (chr(code) for code in range(sys.maxunicode + 1))
    rtl = [letter for letter in letters if unicodedata.bidirectional(letter) in {"R", "AL"}]
    marks = {"\u200f"}
    assert len(rtl) > 1000
    assert [hex(ord(c)) for c in rtl if c not in marks and choose_dir(f"a{c}{c}") != "rtl"] == []
