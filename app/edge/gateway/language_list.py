"""The response field that lists a page's languages, so that there is one variant per language.

An application that sends it replaces Accept-Language by `choose_language` before it reads it. The
gateway then compares the chosen languages of two requests instead of their Accept-Language fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ..http.languages import is_language_tag
from ..name import TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..http.fields import FieldLine

FIELD: Final = f"{TITLE}-Languages"
FIELD_LOWER: Final = FIELD.lower()


def format_languages(languages: Iterable[str]) -> str:
    """Return the field value; the first language is the default."""
    return ", ".join(languages)


def parse_languages(lines: Iterable[str]) -> tuple[str, ...]:
    """Return the languages of the field's lines; none if one of them is malformed.

    Without languages, Accept-Language is compared as a whole.
    """
    tags = tuple(tag.strip(" \t") for line in lines for tag in line.split(","))
    return tags if all(is_language_tag(tag) for tag in tags) else ()


def find_languages(headers: Iterable[FieldLine]) -> tuple[str, ...]:
    """Return the languages that the field lists among a response's headers."""
    return parse_languages(value for name, value in headers if name.lower() == FIELD_LOWER)
