"""Broadsheet's own marks: the B of two bowls, the word, the picture for shared links."""

from __future__ import annotations

import math
from typing import Final

from PIL import Image

from .press import CUT, INKS, PAPER, Plate, Point, Press, arc, bezier

Outline = list[Point]
_WEIGHT: Final = 20.0
_GAP: Final = 15.0


def mark_svg() -> str:
    """The mark as SVG: a stem and two bowls that overprint where they meet."""
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64" role="img" '
        'aria-label="Broadsheet">\n'
        f'  <rect width="64" height="64" rx="13" fill="{PAPER}"/>\n'
        f'  <path d="M25 10h9a12.5 12.5 0 0 1 0 25h-9z" fill="{INKS["vermilion"]}"/>\n'
        f'  <path d="M25 29h13a12.5 12.5 0 0 1 0 25H25z" fill="{INKS["teal"]}"/>\n'
        f'  <path d="M25 29h19.4a12.5 12.5 0 0 1-10.4 6h-9z" fill="#162b2d"/>\n'
        f'  <rect x="14" y="10" width="11" height="44" fill="{INKS["night"]}"/>\n'
        "</svg>\n"
    )


def mark(size: int, *, corner: float = 13.0) -> Image.Image:
    """The mark as pixels; transparent outside its rounded corner."""
    scale = 512 / 64
    press = Press(width=512, height=512)
    red, teal, night = press.ink("vermilion"), press.ink("teal"), press.ink("night")
    for plate, top, reach, radius in ((red, 10, 34, 12.5), (teal, 29, 38, 12.5)):
        middle = (reach * scale, (top + radius) * scale)
        plate.rect((25 * scale, top * scale, reach * scale, (top + 2 * radius) * scale))
        plate.pie(middle, radius * scale, (-90, 90))
    night.rect((14 * scale, 10 * scale, 25 * scale, 54 * scale))
    picture = press.pull(grain=False, register=True).convert("RGBA")
    shape = Plate(size=(512, 512), angle=0)
    shape.rect((0, 0, 512, 512), radius=corner * scale)
    picture.putalpha(shape.mask.resize((512, 512), Image.Resampling.LANCZOS))
    return picture.resize((size, size), Image.Resampling.LANCZOS)


def wordmark_svg() -> str:
    """The word in the colour of the text around it."""
    outlines, width = _word("BROADSHEET")
    paths = "\n".join(f'    <path d="{_d(outline)}"/>' for outline in outlines)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} 100" role="img" '
        f'aria-label="Broadsheet">\n  <g fill="currentColor">\n{paths}\n  </g>\n</svg>\n'
    )


def share() -> Image.Image:
    """The picture that stands for the site where a page without one is shared."""
    press = Press(width=1200, height=630, seed=31)
    sun, red, teal, night = (press.ink(n) for n in ("sun", "vermilion", "teal", "night"))
    teal.rect((0, 0, 1200, 630))
    for plate, at, radius in ((red, (1010, 118), 250), (sun, (250, 620), 330)):
        teal.disc(at, radius, CUT)
        plate.disc(at, radius)
    for plate in (sun, red, teal, night):
        plate.rect((110, 96, 1090, 534), CUT)
    night.rect((118, 534, 1110, 554))
    night.rect((1090, 116, 1110, 554))
    outlines, width = _word("BROADSHEET")
    scale = 860 / width
    for outline in outlines:
        night.polygon([(170 + x * scale, 142 + y * scale) for x, y in outline])
    night.rect((170, 262, 1030, 268))
    night.rect((170, 274, 1030, 276))
    red.rect((170, 304, 590, 342))
    sun.disc((832, 396), 92)
    teal.disc((936, 396), 92)
    for left, lines in ((170, 7), (390, 7)):
        for line in range(lines):
            right = left + (190 if line < lines - 1 else 120)
            night.rect((left, 366 + line * 19, right, 374 + line * 19))
    return press.pull()


def _word(word: str) -> tuple[list[Outline], float]:
    """The outlines of a word 100 units high, and its width."""
    x, outlines = 0.0, []
    for letter in word:
        shapes, width = _LETTERS[letter]
        outlines += [[(x + px, py) for px, py in shape] for shape in shapes]
        x += width + _GAP
    return outlines, x - _GAP


def _bar(x: float, y: float, width: float, height: float) -> Outline:
    return [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]


def _stroke(points: list[Point]) -> Outline:
    """A line of the letters' weight with square ends, as an outline."""
    sides: tuple[Outline, Outline] = ([], [])
    for index, (x, y) in enumerate(points):
        before, after = points[max(index - 1, 0)], points[min(index + 1, len(points) - 1)]
        dx, dy = after[0] - before[0], after[1] - before[1]
        length = math.hypot(dx, dy)
        nx, ny = -dy / length * _WEIGHT / 2, dx / length * _WEIGHT / 2
        sides[0].append((x + nx, y + ny))
        sides[1].append((x - nx, y - ny))
    return [*sides[0], *reversed(sides[1])]


def _bowl(top: float, reach: float, radius: float) -> Outline:
    bend = arc((reach, top + radius), (radius, radius), (-90, 90), 40)
    return _stroke([(_WEIGHT - 1, top), *bend, (_WEIGHT - 1, top + 2 * radius)])


_STEM: Final = _bar(0, 0, _WEIGHT, 100)
_S: Final = [
    *bezier((66, 29), (60, 14), (50, 10), (38, 10)),
    *bezier((38, 10), (22, 10), (13, 18), (13, 29))[1:],
    *bezier((13, 29), (13, 56), (66, 42), (66, 71))[1:],
    *bezier((66, 71), (66, 83), (55, 90), (39, 90))[1:],
    *bezier((39, 90), (25, 90), (13, 85), (9, 70))[1:],
]
_LETTERS: Final[dict[str, tuple[list[Outline], float]]] = {
    "A": (
        [
            [(0, 100), (38, 0), (60, 0), (98, 100), (75, 100), (49, 27), (23, 100)],
            _bar(26, 62, 46, 17),
        ],
        98,
    ),
    "B": ([_STEM, _bowl(10, 40, 19.5), _bowl(49, 44, 20.5)], 74),
    "D": ([_STEM, _bowl(10, 36, 40)], 86),
    "E": ([_STEM, _bar(0, 0, 62, _WEIGHT), _bar(0, 40, 54, _WEIGHT), _bar(0, 80, 62, _WEIGHT)], 62),
    "H": ([_STEM, _bar(58, 0, _WEIGHT, 100), _bar(0, 40, 78, _WEIGHT)], 78),
    "O": ([_stroke(arc((51, 50), (41, 40), span, 80)) for span in ((0, 183), (180, 363))], 102),
    "R": ([_STEM, _bowl(10, 42, 21), [(30, 58), (54, 58), (78, 100), (53, 100)]], 77),
    "S": ([_stroke(_S)], 77),
    "T": ([_bar(0, 0, 78, _WEIGHT), _bar(29, 0, _WEIGHT, 100)], 78),
}


def _d(outline: Outline) -> str:
    start, *rest = (f"{x:.1f} {y:.1f}" for x, y in outline)
    return f"M{start}L{' '.join(rest)}Z"
