"""The stylesheet of code in the repository is the one that is made."""

import re
from pathlib import Path

import pytest

from app.publishing.text import code
from app.publishing.text.contrast import AA, contrast, raise_contrast

STYLESHEETS = Path(__file__).parents[3] / "static" / "css"
STYLESHEET = STYLESHEETS / "highlight.css"


def test_the_stylesheet_is_up_to_date() -> None:
    """Whoever changes a style writes the file again."""
    assert STYLESHEET.read_text() == code.stylesheet()


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_colour_has_enough_contrast(scheme: int) -> None:
    """Each colour of highlight.css has a contrast of 4.5 on the background of code."""
    sheets = re.findall(r"--sheet: #(\w{6});", (STYLESHEETS / "site.css").read_text())
    block = STYLESHEET.read_text().split("@media ")[scheme + 1]
    colours = set(re.findall(r"color: #(\w{6})\b", block))
    assert len(colours) > 5
    assert len(sheets) == 2
    low = {colour: contrast(colour, sheets[scheme]) for colour in colours}
    assert {colour: value for colour, value in low.items() if value < AA} == {}


def test_every_colour_of_the_stylesheet_is_written_in_six_digits() -> None:
    """Otherwise the test of the contrast would overlook it."""
    css = STYLESHEET.read_text()
    assert css.count("color:") == len(re.findall(r"[^-]color: #\w{6}(?=[; ])", css))


@pytest.mark.parametrize(
    ("pair", "expected"),
    [
        (("000000", "ffffff"), 21),
        (("ffffff", "ffffff"), 1),
        (("767676", "ffffff"), 4.54),
        (("777777", "ffffff"), 4.48),
    ],
)
def test_the_contrast_is_that_of_the_standard(pair: tuple[str, str], expected: float) -> None:
    """Known values of WCAG 2, in either order."""
    assert round(contrast(*pair), 2) == expected
    assert contrast(*pair) == contrast(*reversed(pair))


@pytest.mark.parametrize("ground", ["ffffff", "000000", "f4eddf", "1a2238", "777777"])
@pytest.mark.parametrize("colour", ["836c28", "ffff00", "777777", "000000", "ffffff"])
def test_a_colour_gets_only_as_much_contrast_as_it_needs(colour: str, ground: str) -> None:
    """A readable colour stays; another one is mixed with black or white until it is readable."""
    raised = raise_contrast(colour, ground)
    assert contrast(raised, ground) >= AA
    if contrast(colour, ground) >= AA:
        assert raised == colour
