"""Language tags: which texts are tags, how they are written, and in which direction they run."""

from __future__ import annotations

import pytest

from app.publishing.languages import TagError, direction, parse_tag


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("fa", "fa"),
        ("FA", "fa"),
        ("pt-br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("fil", "fil"),
        ("iw", "he"),
        ("de-ch-1996", "de-CH-1996"),
        ("zh-yue-HK", "zh-yue-HK"),
        ("en-u-ca-buddhist-x-me", "en-u-ca-buddhist-x-me"),
    ],
)
def test_a_tag_gets_its_canonical_spelling(text: str, tag: str) -> None:
    """RFC 5646, 2.1.1: the language in lower case, the script capitalised, the region in capitals."""
    assert parse_tag(text) == tag


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", "x", "xx", "english", "python", "klingon!!", "en_US", "en-", "-en", "en--US"),
        *("it's", "fa\nfa", "en-US-US", "ﬁ", "e" * 40, "en-" + "-".join(["abcde"] * 8)),
    ],
)
def test_a_text_that_is_no_tag_is_refused(text: str) -> None:
    """The error quotes the text, so that the writer finds it."""
    with pytest.raises(TagError, match="is not a language tag such as en, de-CH or zh-Hant"):
        parse_tag(text)


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("fa", "rtl"),
        ("ar-EG", "rtl"),
        ("he", "rtl"),
        ("ckb", "rtl"),
        ("ur-Latn", "ltr"),
        ("az", "ltr"),
        ("az-Arab", "rtl"),
        ("az-IR", "rtl"),
        ("pa", "ltr"),
        ("pa-PK", "rtl"),
        ("ug-Cyrl", "ltr"),
        ("zh-Hant", "ltr"),
        ("ar-arz", "rtl"),
        ("not a tag", "ltr"),
    ],
)
def test_the_direction_is_that_of_the_script(tag: str, expected: str) -> None:
    """A script in the tag decides; without one, the usual script of language and country does."""
    assert direction(tag) == expected
