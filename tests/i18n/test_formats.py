from __future__ import annotations

from datetime import UTC, datetime

import pytest
from markupsafe import Markup

from app import i18n

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
DAYS = {
    "en": "4 March 2026",
    "en-GB": "4 March 2026",
    "en-US": "March 4, 2026",
    "de": "4. März 2026",
    "de-AT": "4. März 2026",
    "fr": "4 mars 2026",
    "es": "4 de marzo de 2026",
    "ar": "4 مارس 2026",
    "ja": "2026年3月4日",
    "pt-BR": "4 de março de 2026",
    "zh-Hant-TW": "2026年3月4日",
    "nl": "4 maart 2026",
}


@pytest.mark.parametrize(("language", "day"), DAYS.items(), ids=DAYS)
def test_a_day_is_written_as_in_the_language(language: str, day: str) -> None:
    """The order of its parts, the name of the month and the dots come from CLDR."""
    assert i18n.format_day(NOON, language) == day


@pytest.mark.parametrize("language", ["x-klingon", "qqq", "", "not a tag", "de-", "e" * 40])
def test_a_tag_that_cldr_does_not_know_has_english_forms(language: str) -> None:
    """A date appears on the page in any case."""
    day = "4. März 2026" if language == "de-" else "4 March 2026"
    assert i18n.format_day(NOON, language) == day


@pytest.mark.parametrize(
    ("language", "month"),
    [("en", "March"), ("fr", "mars"), ("ru", "март"), ("ja", "3月"), ("cs", "březen")],
)
def test_a_month_has_the_form_that_it_has_without_a_day(language: str, month: str) -> None:
    """Russian and Czech write it in another case after a day."""
    assert i18n.format_month(NOON, language) == month


@pytest.mark.parametrize(
    ("language", "months"),
    [
        ("en", "March\u2009–\u2009June 2026"),
        ("de", "März–Juni 2026"),
        ("fr", "mars\u2009–\u2009juin 2026"),
        ("es", "marzo–junio de 2026"),
        ("ar", "مارس – يونيو 2026"),
        ("ja", "2026年3月\uff5e6月"),
    ],
)
def test_a_range_of_months_is_written_as_in_the_language(language: str, months: str) -> None:
    """The order of its parts and the dash come from CLDR; the common year is written once."""
    assert i18n.format_months(NOON, NOON.replace(month=6), language) == months


def test_a_range_within_a_month_is_one_month_and_two_years_are_both_written() -> None:
    """March 2026, and March 2026 to March 2027."""
    assert i18n.format_months(NOON, NOON.replace(day=31), "en") == "March 2026"
    months = i18n.format_months(NOON, NOON.replace(year=2027), "en")
    assert months == "March 2026\u2009–\u2009March 2027"


@pytest.mark.parametrize(
    ("language", "number"),
    [("en", "12,345"), ("de", "12.345"), ("fr", "12\u202f345"), ("ar", "12,345"), ("ja", "12,345")],
)
def test_a_number_has_the_separators_of_the_language(language: str, number: str) -> None:
    """Arabic has the Latin digits, as CLDR prefers for `ar` without a country."""
    assert i18n.format_number(12345, language) == number


@pytest.mark.parametrize(
    ("language", "line"),
    [("en", "A, B and C"), ("de", "A, B und C"), ("ar", "A وB وC"), ("ja", "A、B、C")],
)
def test_names_are_listed_as_in_the_language(language: str, line: str) -> None:
    """English has no comma before "and"."""
    assert i18n.join_names(["A", "B", "C"], language) == line


def test_names_are_escaped_and_links_are_not() -> None:
    """An author may be called `<b>`."""
    line = i18n.join_names(["<b>", Markup("<i>B</i>")], "en")
    assert line == Markup("&lt;b&gt; and <i>B</i>")


TERRITORIES = {
    "en": "en_US",
    "de": "de_DE",
    "de-CH": "de_CH",
    "zh-Hant": "zh_TW",
    "sr-Latn-RS": "sr_RS",
    "es-419": "es_ES",
    "fil": "fil_PH",
    "eo": "eo",
    "xx": "xx",
}


@pytest.mark.parametrize(("tag", "locale"), TERRITORIES.items())
def test_a_language_is_written_with_its_territory(tag: str, locale: str) -> None:
    """As the Open Graph protocol spells it; a language of no country stays without one."""
    assert i18n.find_territory_locale(tag) == locale
