"""The CLDR data of a language tag.

Pure. `en` has the forms of `en-001` (4 March 2026), as most of the world writes English; `en-US`
has those of the United States.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global

SOURCE_LANGUAGE = "en"
"""The language of the words in the templates."""

_DATA = {"en": "en-001"}
_LIKELY = get_global("likely_subtags")


def candidates(tag: str) -> Iterator[str]:
    """Yield a tag and its shorter forms: `zh-Hant-TW`, `zh-Hant`, `zh`."""
    parts = tag.split("-")
    for length in range(len(parts), 0, -1):
        yield "-".join(parts[:length])


@lru_cache(maxsize=64)
def catalogue_names(tag: str) -> tuple[str, ...]:
    """Return the names that a catalogue for a tag may have, the closest first.

    English itself has none: its words are those of the templates.
    """
    return tuple(name for name in candidates(tag) if name not in {"", SOURCE_LANGUAGE})


@lru_cache(maxsize=64)
def find_locale(tag: str) -> Locale:
    """Return the CLDR data of a tag, of its language alone, or of English."""
    for candidate in (*candidates(tag), SOURCE_LANGUAGE):
        try:
            return Locale.parse(_DATA.get(candidate, candidate), sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    raise AssertionError("Babel has the data of English")


@lru_cache(maxsize=64)
def find_territory_locale(tag: str) -> str:
    """Return a language with its territory: `de_CH` for `de-CH`, and `de_DE` for `de`.

    A tag without a territory gets that of most speakers, if CLDR names one.
    """
    language, *subtags = tag.split("-")
    names = (_LIKELY.get(candidate.replace("-", "_")) for candidate in candidates(tag))
    likely = next((name for name in names if name), "").split("_")
    territory = next((part for part in (*subtags, *likely) if _is_territory(part)), "")
    return f"{language.lower()}_{territory}" if territory else language.lower()


def _is_territory(part: str) -> bool:
    return len(part) == len("CH") and part.isalpha() and part.isupper()
