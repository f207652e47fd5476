"""The language that Accept-Language selects (RFC 9110 section 12.5.4, RFC 4647 section 3.4)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.edge.http.languages import choose_language, is_language_tag

SITE = ("en", "es", "pt-BR")
CHOICES = {
    "no header": (None, "en"),
    "an empty header": ("", "en"),
    "only empty elements": (" , ,", "en"),
    "the language itself": ("es", "es"),
    "another case": ("PT-br", "pt-BR"),
    "a region": ("es-MX", "es"),
    "a script and a region": ("es-Latn-MX", "es"),
    "a browser's list": ("es-ES,es;q=0.9,en;q=0.8", "es"),
    "a list with an unknown language first": ("fr-CH, fr;q=0.9, es;q=0.5, en;q=0.4", "es"),
    "weights in another order": ("en;q=0.4, es;q=0.5", "es"),
    "equal weights: the first": ("es, en", "es"),
    "equal weights below one": ("es;q=0.5, en;q=0.5", "es"),
    "no weight means one": ("es;q=0.9, en", "en"),
    "spaces and tabs": ("fr ;\tq=0.9 ,\tes;q=0.8", "es"),
    "a shorter range": ("pt", "pt-BR"),
    "a sibling region": ("pt-PT", "en"),
    "the shorter range comes before a later one": ("pt, en;q=0.5", "pt-BR"),
    "an unknown language": ("fr", "en"),
    "no prefix within a subtag": ("p, espanol;q=0.5", "en"),
    "any language": ("*", "en"),
    "any language last": ("fr, *;q=0.1", "en"),
    "any language first is skipped": ("*, es;q=0.5", "es"),
    "a refused default": ("en;q=0", "es"),
    "a refused default and any other": ("en;q=0, *", "es"),
    "a refused language": ("es;q=0, es-MX", "en"),
    "a refused region only": ("es-MX;q=0, es", "es"),
    "a refused region alone": ("es-MX;q=0", "en"),
    "a region, and all others refused": ("es-MX, *;q=0", "es"),
    "a refused parent": ("pt;q=0, es;q=0.1", "es"),
    "all others refused": ("es, *;q=0", "es"),
    "all refused": ("*;q=0", "en"),
    "three decimals": ("es;q=0.001", "es"),
    "a zero with decimals": ("en;q=0.000", "es"),
    "a repeated range keeps its first weight": ("es;q=0.1, en;q=0.5, es;q=0.9", "en"),
}
MALFORMED = [
    "es, en_US",
    "es;q=1.001",
    "es;q=2",
    "es;q=",
    "es;q=-1",
    "es;q=0.1234",
    "es;level=1",
    "es;q=0.5;q=0.4",
    "es fr",
    "es, español",
    "es, -",
    "es, abcdefghi",
    "es, de-*",
    'es, "en"',
    "es;" + " " * 2000 + "q=1",
]
ranges = st.from_regex(r"\A(\*|[a-zA-Z]{1,3}(-[a-zA-Z0-9]{1,3}){0,3})\Z")
weights = st.sampled_from(["", ";q=0", ";q=0.5", "; q=0.001", ";q=1"])
headers = st.lists(st.builds("{}{}".format, ranges, weights)).map(", ".join)
tags = st.lists(
    st.from_regex(r"\A[a-z]{1,3}(-[a-zA-Z0-9]{1,3}){0,3}\Z"),
    min_size=1,
    max_size=5,
    unique_by=str.lower,
)


@pytest.mark.parametrize(("header", "language"), CHOICES.values(), ids=CHOICES)
def test_the_best_language_is_chosen(header: str | None, language: str) -> None:
    """By weight, then by order; a range is shortened until it is one of the languages."""
    assert choose_language(header, SITE) == language


@pytest.mark.parametrize("header", MALFORMED)
def test_a_malformed_header_selects_the_first_language(header: str) -> None:
    """The header is ignored, even if it begins with a valid range."""
    assert choose_language(header, SITE) == "en"


def test_lookup_skips_single_characters() -> None:
    """RFC 4647 section 3.4: `zh-Hant-x` is not tried after `zh-Hant-x-private`."""
    assert choose_language("zh-Hant-x-private", ("en", "zh-Hant-x", "zh")) == "zh"
    assert choose_language("zh-Hant-CN-x-private1", ("en", "zh-Hant", "zh")) == "zh-Hant"


def test_the_more_specific_language_wins() -> None:
    """The exact tag before its prefix, and a prefix before a longer tag."""
    languages = ("fr", "en-GB", "en")
    assert choose_language("en-GB", languages) == "en-GB"
    assert choose_language("en-AU", languages) == "en"
    assert choose_language("en", languages) == "en"


@given(header=st.text(max_size=40) | headers, languages=tags)
def test_the_choice_is_a_declared_language_and_selects_itself(
    header: str, languages: list[str]
) -> None:
    """The gateway and the application both choose, one after the other."""
    language = choose_language(header, languages)
    assert language in languages
    assert choose_language(language, languages) == language


def test_a_long_header_is_not_parsed() -> None:
    """1024 characters are more than any browser sends."""
    assert choose_language("es," * 341 + " ", SITE) == "es"
    assert choose_language("es," * 342, SITE) == "en"


@pytest.mark.parametrize("tag", ["en", "pt-BR", "zh-Hant-TW", "de-1996", "i-klingon"])
def test_language_tags(tag: str) -> None:
    """Subtags have one to eight letters or digits."""
    assert is_language_tag(tag)


@pytest.mark.parametrize("tag", ["", "*", "pt_BR", "en-", "-en", "español", "en, es", "abcdefghi"])
def test_other_texts_are_no_language_tags(tag: str) -> None:
    """Names with underscores, ranges and lists."""
    assert not is_language_tag(tag)
