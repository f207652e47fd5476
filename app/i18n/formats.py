"""Dates, numbers and lists of names as a language writes them (CLDR).

Pure. Digits are the Latin ones in every language, as in the addresses and in the text around them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from babel.dates import format_date, format_interval
from babel.lists import format_list
from babel.numbers import format_decimal
from markupsafe import Markup, escape

from .locales import find_locale


def format_day(instant: date, language: str) -> str:
    """Format a day: 4 March 2026."""
    return format_date(instant, "long", locale=find_locale(language))


def format_month(instant: date, language: str) -> str:
    """Return the name of a month without a day: March."""
    return format_date(instant, "LLLL", locale=find_locale(language))


def format_months(first: date, last: date, language: str) -> str:
    """Format the months from one day to another, with their years: March – June 2024."""
    return format_interval(first, last, "yMMMM", locale=find_locale(language))


def format_number(number: float, language: str) -> str:
    """Format a number with the separators of the language: 1,234."""
    return format_decimal(number, locale=find_locale(language))


def join_names(names: Iterable[str], language: str) -> Markup:
    """Join names as the language lists them, escaped unless they are `Markup`: "A, B and C"."""
    html_names = [str(escape(name)) for name in names]
    return Markup(format_list(html_names, locale=find_locale(language)))  # noqa: S704 - escaped above
