"""The direction of a text without a declared language, from its letters. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from typing import Literal, TypeAlias

from .languages import Direction

_DIRECTIONS: dict[str, Direction] = {"L": "ltr", "R": "rtl", "AL": "rtl"}
"""The bidirectional classes of letters (Unicode Standard Annex 9, table 4)."""

_RTL_LETTER = re.compile(
    "[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\U00010800-\U00010fff\U0001e800-\U0001efff]"
)
"""The blocks of the scripts that are written from right to left."""

DirValue: TypeAlias = Literal["ltr", "rtl", "auto"]


def choose_dir(text: str) -> DirValue:
    """Return the value of the `dir` attribute for a title or a name.

    `auto` makes the browser use the first letter. A title such as "CSS" followed by Arabic words
    begins with a letter of the other direction; for it the direction of most letters is returned.
    """
    main = find_main_direction(text)
    first = find_first_direction(text)
    return "auto" if main is None or main == first else main


def find_first_direction(text: str) -> Direction | None:
    """Return the direction of the first letter; None for a text without letters."""
    return next(_directions_of_letters(text), None)


def find_main_direction(text: str) -> Direction | None:
    """Return the direction of most letters; None for a text without letters."""
    if _RTL_LETTER.search(text) is None:
        return find_first_direction(text)
    counts = Counter(_directions_of_letters(text))
    return max(counts, key=lambda direction: counts[direction], default=None)


def _directions_of_letters(text: str) -> Iterator[Direction]:
    """Yield the direction of each letter that has one."""
    classes = map(unicodedata.bidirectional, text)
    return (_DIRECTIONS[name] for name in classes if name in _DIRECTIONS)
