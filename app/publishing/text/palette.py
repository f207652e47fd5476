"""The colours that an accent is shown with, and the check that it can be read on them. Pure.

A colour is written with a number sign and six hexadecimal digits: `#b5321b`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .contrast import AA, contrast, raise_contrast

_COLOUR = re.compile(r"#?([0-9a-fA-F]{6}|[0-9a-fA-F]{3})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A colour scheme: the page's background, that of the footer, and the text on a button."""

    name: str
    paper: str
    sheet: str
    button_text: str
    accent: str

    @property
    def grounds(self) -> tuple[tuple[str, str], ...]:
        """The colours that an accent stands on or under, with the name of each."""
        return (
            ("background", self.paper),
            ("footer", self.sheet),
            ("text of buttons", self.button_text),
        )


LIGHT = Scheme(
    name="light", paper="#fbf7ee", sheet="#f4eddf", button_text="#fbf7ee", accent="#b5321b"
)
"""The tokens of `:root` in `static/css/site.css`; a test compares them."""
DARK = Scheme(
    name="dark", paper="#12182a", sheet="#1a2238", button_text="#12182a", accent="#ff8f75"
)
"""Those for `prefers-color-scheme: dark`."""


class ColourError(ValueError):
    """A text that is no colour, or a colour that can't be read; the sentence says why."""


def parse_colour(value: str) -> str:
    """Return a colour as six lower-case digits after a number sign; raises ColourError."""
    match = _COLOUR.fullmatch(value.strip())
    if match is None:
        raise ColourError(f"{value[:40]!r} is not a colour such as #b5321b.")
    digits = match[1].lower()
    if len(digits) == len("abc"):
        digits = "".join(digit * 2 for digit in digits)
    return f"#{digits}"


def check_accent(colour: str, scheme: Scheme) -> None:
    """Raise ColourError if text of this colour has too little contrast in a scheme (WCAG AA)."""
    name, ground = min(scheme.grounds, key=lambda pair: _contrast(colour, pair[1]))
    ratio = _contrast(colour, ground)
    if ratio < AA:
        raise ColourError(
            f"The colour {colour} has a contrast of {_shown(ratio)}:1 with the {name} {ground} in "
            f"the {scheme.name} colour scheme; text needs {AA}:1. "
            f"The nearest colour that has it is {readable_accent(colour, scheme)}."
        )


def readable_accent(colour: str, scheme: Scheme) -> str:
    """Return the colour nearest to `colour` that can be read in a scheme."""
    for _name, ground in sorted(scheme.grounds, key=lambda pair: _contrast(colour, pair[1])):
        colour = f"#{raise_contrast(colour[1:], ground[1:]).lower()}"
    return colour


def _contrast(colour: str, ground: str) -> float:
    return contrast(colour[1:], ground[1:])


def _shown(ratio: float) -> str:
    """Write a ratio with one digit, rounded down, so that 4.49 is not shown as 4.5."""
    return f"{int(ratio * 10) / 10:.1f}"
