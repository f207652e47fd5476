"""Word stems by language, through the Snowball stemmers of PyStemmer."""

from __future__ import annotations

from functools import lru_cache
from threading import local

import Stemmer

from app.publishing import languages

ALGORITHMS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hi": "hindi",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "ne": "nepali",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""The Snowball algorithm of each language; words of other languages are not stemmed."""

VERSION = Stemmer.version()
"""The version of the stemmers: another one may give other stems."""

_INSTALLED = frozenset(Stemmer.algorithms())
_stemmers = local()


@lru_cache(maxsize=256)
def algorithm_of(language: str) -> str:
    """Return the name of the Snowball algorithm for a language tag, or an empty text."""
    name = ALGORITHMS.get(languages.primary(language), "")
    return name if name in _INSTALLED else ""


def stem(word: str, algorithm: str) -> str:
    """Return the stem of a word in lower case; without an algorithm, the word itself."""
    return str(_stemmer(algorithm).stemWord(word)) if algorithm else word


def _stemmer(algorithm: str) -> Stemmer.Stemmer:
    """Return this thread's stemmer: one object must not be used by two threads at once."""
    stemmers: dict[str, Stemmer.Stemmer] = _stemmers.__dict__
    if algorithm not in stemmers:
        stemmers[algorithm] = Stemmer.Stemmer(algorithm, 0)
    return stemmers[algorithm]
