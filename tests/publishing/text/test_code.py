"""The stylesheet of code in the repository is the one that is made."""

from pathlib import Path

import pytest

from app.publishing.text import code

STYLESHEET = Path(__file__).parents[3] / "static" / "css" / "highlight.css"
PAPER, NIGHT = "f6f6f4", "1b1d20"


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [int(colour[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_stylesheet_is_up_to_date() -> None:
    """Whoever changes a style writes the file again."""
    assert STYLESHEET.read_text() == code.stylesheet()


@pytest.mark.parametrize(
    ("media", "ground"), [("light", PAPER), ("dark", NIGHT)], ids=["light", "dark"]
)
def test_every_colour_can_be_read(media: str, ground: str) -> None:
    """Each colour has a contrast of 4.5 on its ground."""
    block = code.stylesheet().split(f"(prefers-color-scheme: {media})")[1].split("\n}")[0]
    colours = {piece[:6] for piece in block.split("color: #")[1:]}
    for colour in colours:
        pair = sorted((luminance(colour), luminance(ground)))
        assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 4.5
    assert len(colours) > 5
