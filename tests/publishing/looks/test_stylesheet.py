"""The style sheet of the accent colour."""

from __future__ import annotations

import pytest

from app.publishing.looks.stylesheet import accent_styles, styles_digest
from app.publishing.text.palette import DARK, check_accent


def test_without_a_colour_there_is_no_style_sheet() -> None:
    """The colours of the project stay."""
    assert accent_styles("", "") == ""


def test_the_dark_scheme_gets_a_colour_that_can_be_read_in_it() -> None:
    """Made from the accent colour, unless one is given."""
    light, dark = accent_styles("#8a1c5b", "").split("@media")
    assert "--accent: #8a1c5b;" in light
    made = dark.partition("--accent: ")[2][:7]
    check_accent(made, DARK)
    assert "--accent: #ffb4a2;" in accent_styles("#8a1c5b", "#ffb4a2").split("@media")[1]
    assert accent_styles("", "#ffb4a2").startswith("@media (prefers-color-scheme: dark)")


@pytest.mark.parametrize("other", [("#8a1c5b", "#ffb4a2"), ("#0f6a64", ""), ("", "#ffb4a2")])
def test_other_colours_have_another_digest(other: tuple[str, str]) -> None:
    """So that a browser never keeps the old ones."""
    digest = styles_digest(accent_styles("#8a1c5b", ""))
    assert len(digest) == 16
    assert digest != styles_digest(accent_styles(*other))
