"""Covers about distance, crowds and houses."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from .press import CUT, SOLID, Plate, Point, Press, arc, bezier, box, fade, turned

if TYPE_CHECKING:
    from PIL import Image


def light() -> Image.Image:
    """A globe, a lamp on either side, and the shortest way between them."""
    press = Press(seed=21)
    sun, night, red = press.ink("sun"), press.ink("night"), press.ink("vermilion")
    night.rect((0, 0, 1600, 900))
    dice = random.Random(5)
    for _ in range(120):
        x, y = dice.uniform(0, 1600), dice.uniform(0, 860)
        night.disc((x, y), dice.choice((1.6, 2.2, 3.4)), CUT)
    centre, radius = (800, 900), 520.0
    night.disc(centre, radius, CUT)
    sun.disc(centre, radius, fade((800, 380), (800, 900), (0.95, 0.35)))
    for step in range(1, 6):
        rx = radius * math.sin(math.radians(step * 18))
        night.path(arc(centre, (rx, radius), (180, 360)), 4)
        ry = radius - step * 92
        half = math.sqrt(radius**2 - ry**2)
        night.rect((800 - half, 900 - ry - 2, 800 + half, 900 - ry + 2))
    night.rect((798, 380, 802, 900))
    start, end = (408, 560), (1192, 560)
    for index, lift in enumerate((-60, 60, 190)):
        route = bezier(start, (560, 250 - lift), (1040, 250 - lift), end, steps=120)
        night.path(route, 26 - index * 6, CUT)
        red.path(route, 16 - index * 4)
    for at in (start, end):
        for plate in (night, sun):
            plate.disc(at, 46, CUT)
        red.disc(at, 46)
        night.disc(at, 20)
    return press.pull()


def umbrellas() -> Image.Image:
    """A crowd of umbrellas seen from above, and one door."""
    press = Press(seed=25)
    sun, red, teal, night = (press.ink(n) for n in ("sun", "vermilion", "teal", "night"))
    teal.rect((0, 0, 1600, 900))
    dice = random.Random(8)
    placed: list[tuple[float, float, float]] = []
    for _ in range(9000):
        r = dice.choice((38.0, 46.0, 58.0))
        x, y = dice.uniform(20, 1330), dice.uniform(-10, 910)
        crowd = abs(y - 450) < 500 - max(0.0, x - 420) * 0.40
        if crowd and all(math.hypot(x - a, y - b) > r + c - 2 for a, b, c in placed):
            placed.append((x, y, r))
    night.rect((1452, 0, 1600, 900))
    light = [(1600, 380), (1452, 380), (1320, 330), (1320, 570), (1452, 520), (1600, 520)]
    for plate in (teal, night):
        plate.polygon(light, CUT)
    sun.polygon(light)
    inks = (red, sun, red, sun, night)
    for x, y, r in placed:
        ink = inks[dice.randrange(len(inks))]
        _umbrella((sun, red, teal, night), ink, (x, y), r, dice.uniform(0, 45))
    for course in range(0, 900, 56):
        if not 330 < course < 560:
            night.rect((1452, course, 1600, course + 4), CUT)
    return press.pull()


def _umbrella(plates: tuple[Plate, ...], ink: Plate, at: Point, r: float, turn: float) -> None:
    rim = [arc(at, (r, r), (turn + rib * 45, turn + rib * 45), 1)[0] for rib in range(8)]
    shadow = [(x + 9, y + 11) for x, y in rim]
    plates[3].polygon(shadow)
    for plate in plates:
        plate.polygon(rim, CUT)
    plates[3].path([*rim, rim[0]], 3)
    for rib in range(0, 8, 2):
        ink.polygon([at, rim[rib], rim[rib + 1]])
    plates[3].disc(at, 6)


def house() -> Image.Image:
    """A house cut open: one way in for readers, another for writers, both over the stairs."""
    press = Press(seed=27)
    sun, red, teal, night = (press.ink(n) for n in ("sun", "vermilion", "teal", "night"))
    teal.rect((0, 0, 1600, 900))
    for plate in (teal, night):
        plate.polygon([(360, 820), (360, 330), (800, 80), (1240, 330), (1240, 820)], CUT)
    night.rect((0, 818, 1600, 900))
    night.path([(318, 354), (800, 80), (1282, 354)], 26)
    night.rect((360, 330, 380, 820))
    night.rect((1220, 330, 1240, 820))
    for y in (486, 652):
        night.rect((360, y, 1240, y + 14))
    night.rect((640, 340, 652, 652))
    night.rect((948, 500, 960, 820))
    night.rect((360, 334, 1240, 346))
    sun.rect((380, 346, 640, 486))
    red.rect((652, 346, 1220, 486), 0.5)
    sun.rect((652, 500, 948, 652), 0.45)
    red.rect((960, 500, 1220, 652))
    sun.rect((380, 666, 948, 818), 0.7)
    teal.rect((960, 666, 1220, 818), 0.55)
    red.polygon([(440, 330), (800, 126), (1160, 330)], 0.35)
    _furniture(night, sun)
    read = [
        (-20.0, 756.0),
        (520.0, 756.0),
        (520.0, 576.0),
        (800.0, 576.0),
        (800.0, 416.0),
        (1000.0, 416.0),
    ]
    change = [(1620.0, 590.0), (1090.0, 590.0), (1090.0, 430.0)]
    for route, plate in ((read, night), (change, night)):
        plate.path(route, 26, CUT)
    for other in (sun, red, teal):
        other.path(read, 26, CUT)
        other.path(change, 26, CUT)
    red.path(read, 14)
    teal.path(change, 14)
    red.polygon([(990, 384), (1050, 416), (990, 448)])
    teal.polygon([(1058, 440), (1090, 384), (1122, 440)])
    return press.pull()


def _furniture(night: Plate, sun: Plate) -> None:
    for shelf in range(3):
        for book in range(8):
            tall = 24 + (book * 7 + shelf * 5) % 14
            left, foot = 400 + book * 26, 390 + shelf * 44
            night.rect((left, foot - tall, left + 18, foot))
        night.rect((394, 390 + shelf * 44, 616, 394 + shelf * 44))
    night.disc((800, 232), 46)
    night.disc((800, 232), 34, CUT)
    sun.disc((800, 232), 34)
    night.rect((797, 198, 803, 266))
    night.rect((766, 229, 834, 235))
    for step in range(6):
        night.rect((660 + step * 46, 796 - step * 24, 706 + step * 46, 818))
    night.rect((1130, 560, 1196, 604), radius=6)
    night.rect((1156, 604, 1170, 652))
    for row in range(3):
        night.rect((990, 690 + row * 42, 1190, 696 + row * 42))
        for jar in range(5):
            night.rect((1000 + jar * 38, 672 + row * 42, 1024 + jar * 38, 690 + row * 42), radius=4)


def bottle() -> Image.Image:
    """A letter in a bottle, on its way to 2036."""
    press = Press(seed=28)
    teal, sun, red, night = (press.ink(n, pitch=18) for n in ("teal", "sun", "vermilion", "night"))
    sun.disc((1130, 360), 170)
    night.rect((0, 0, 1600, 420), fade((0, 0), (0, 420), (0.5, 0.0)))
    night.disc((1130, 360), 170, CUT)
    centre = (760, 500)

    def lean(points: list[Point]) -> list[Point]:
        return turned(points, centre, 24)

    body = [
        (660, 700),
        (660, 400),
        *bezier((660, 400), (660, 320), (724, 320), (724, 250)),
        (724, 180),
        (796, 180),
        (796, 250),
    ]
    body += [*bezier((796, 250), (796, 320), (860, 320), (860, 400)), (860, 700)]
    for plate in (sun, night):
        plate.polygon(lean(body), CUT)
    teal.polygon(lean(body), 0.3)
    red.polygon(lean(box(734, 130, 786, 200)))
    for plate in (teal,):
        plate.polygon(lean(box(704, 400, 820, 680)), CUT)
    red.polygon(lean(box(704, 400, 820, 680)), 0.25)
    for line in range(8):
        night.polygon(lean(box(720, 424 + line * 28, 804 if line != 7 else 764, 433 + line * 28)))
    night.path([*lean(body), lean(body)[0]], 9)
    for layer in range(5):
        y = 590 + layer * 74
        crest: list[Point] = []
        for wave in range(9):
            x = -180 + wave * 220 - (layer % 2) * 110
            crest += bezier((x, y), (x + 70, y - 56), (x + 150, y - 56), (x + 220, y), steps=24)
        sea = [*crest, (1700, 1000), (-200, 1000)]
        for plate in (teal, sun, red, night):
            plate.polygon(sea, CUT)
        teal.polygon(sea, SOLID if layer % 2 else 0.5)
        night.path(crest, 5)
    return press.pull()
