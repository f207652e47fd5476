"""The names of months in the languages of many blogs; a name that is not listed is no month."""

from __future__ import annotations

from unicodedata import normalize

_NAMES = (
    # English, French, German, Spanish, Italian, Portuguese, Dutch, Swedish, Danish, Polish
    "january janvier januar janner enero gennaio janeiro januari stycznia",
    "february fevrier februar febrero febbraio fevereiro februari lutego",
    "march mars marz marzo marco maart marts marca",
    "april avril abril aprile kwietnia",
    "may mai mayo maggio maio mei maj maja",
    "june juin juni junio giugno junho czerwca",
    "july juillet juli julio luglio julho lipca",
    "august aout agosto augustus augusti sierpnia",
    "september septembre septiembre setiembre settembre setembro wrzesnia",
    "october octobre oktober octubre ottobre outubro pazdziernika",
    "november novembre noviembre novembro listopada",
    "december decembre dezember diciembre dicembre dezembro grudnia",
)
_BY_NAME = {name: number for number, names in enumerate(_NAMES, 1) for name in names.split()}
_ENGLISH = {names.split()[0]: number for number, names in enumerate(_NAMES, 1)}
_SHORTEST = 3


def find_month(word: str) -> int | None:
    """Return the number of a month by its name, or by an English abbreviation such as `Sept.`."""
    name = _fold(word)
    if name in _BY_NAME:
        return _BY_NAME[name]
    if len(name) < _SHORTEST:
        return None
    numbers = (number for full, number in _ENGLISH.items() if full.startswith(name))
    return next(numbers, None)


def _fold(word: str) -> str:
    """Return a word in lower case, without accents and a final dot."""
    decomposed = normalize("NFD", word.rstrip(".").casefold())
    return "".join(character for character in decomposed if character.isalpha())
