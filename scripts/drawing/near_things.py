"""Covers about things one can hold: bread, a tag, keys, a log."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING

from .press import CUT, Plate, Point, Press, arc, bezier, box, fade, turned

if TYPE_CHECKING:
    from PIL import Image


def loaf() -> Image.Image:
    """Yesterday's bread on the board, still good."""
    press = Press(seed=22)
    sun, red, night = press.ink("sun"), press.ink("vermilion"), press.ink("night")
    sun.disc((1000, 420), 400, fade((1000, 20), (1000, 820), (0.7, 0.2)))
    sun.rect((0, 684, 1600, 900), CUT)
    night.rect((0, 684, 1600, 900))
    night.rect((0, 700, 1600, 706), CUT)
    night.rect((176, 650, 1424, 722), radius=14)
    red.rect((176, 650, 1424, 694), radius=14)
    for slot in range(9):
        night.rect((230 + slot * 130, 666, 310 + slot * 130, 671))
    crust = [
        (620, 650),
        *bezier((620, 420), (600, 190), (980, 170), (1010, 210), (1290, 190), (1300, 420)),
        (1300, 650),
    ]
    sun.polygon(crust)
    red.polygon(crust, fade((900, 200), (960, 660), (0.5, 1.0)))
    for cut in range(4):
        x = 760 + cut * 128
        scar = [
            *bezier((x, 300), (x + 40, 240), (x + 96, 250)),
            *bezier((x + 96, 250), (x + 60, 290), (x, 300)),
        ]
        red.polygon(scar, CUT)
        night.path(bezier((x, 304), (x + 44, 296), (x + 96, 254)), 5)
    for index, (x, lean) in enumerate(((560, 0.0), (400, -7.0), (262, -17.0))):
        _slice((sun, red, night), x, lean, holes=7 + index)
    sun.rect((250, 44, 430, 240), CUT)
    night.rect((250, 44, 430, 240))
    night.rect((256, 50, 424, 234), CUT)
    red.rect((250, 44, 430, 92))
    for day in range(12):
        left, top = 276 + day % 4 * 35, 116 + day // 4 * 36
        night.rect((left, top, left + 22, top + 20), 1.0 if day < 7 else 0.3)
    red.path([(376, 150), (408, 176)], 7)
    red.path([(408, 150), (376, 176)], 7)
    return press.pull()


def _slice(plates: tuple[Plate, Plate, Plate], x: float, lean: float, *, holes: int) -> None:
    sun, red, night = plates
    foot = (x + 60, 650)

    def shape(inset: float) -> list[Point]:
        left, right, bottom, top = x - 96 + inset, x + 156 - inset, 650 - inset, 268 + inset
        head = bezier(
            (left, 430),
            (left - 50 + inset * 0.6, top),
            (right + 50 - inset * 0.6, top),
            (right, 430),
        )
        return turned([(left, bottom), *head, (right, bottom)], foot, lean)

    for plate in plates:
        plate.polygon(shape(-8), CUT)
    red.polygon(shape(0))
    sun.polygon(shape(0))
    red.polygon(shape(22), CUT)
    sun.polygon(shape(22), CUT)
    sun.polygon(shape(22), 0.4)
    dice = random.Random(holes)
    for _ in range(holes * 2):
        at = turned([(dice.uniform(x - 46, x + 106), dice.uniform(410, 610))], foot, lean)[0]
        red.oval(at, (dice.uniform(5, 11), dice.uniform(4, 8)), 0.8)
    night.path([*shape(0), shape(0)[0]], 5)


def fingerprint() -> Image.Image:
    """A fingerprint on a luggage tag: the name that is the thing itself."""
    press = Press(seed=23)
    teal, red, night = press.ink("teal"), press.ink("vermilion"), press.ink("night")
    teal.rect((0, 0, 1600, 900))
    tag: list[Point] = [(300, 450), (470, 190), (1330, 190), (1330, 710), (470, 710)]
    tag = turned(tag, (800, 450), -6)
    night.polygon([(x + 20, y + 24) for x, y in tag], 0.8)
    for plate in (teal, night):
        plate.polygon(tag, CUT)
    eye = turned([(446, 450)], (800, 450), -6)[0]
    red.disc(eye, 56)
    for plate in (red, teal, night):
        plate.disc(eye, 30, CUT)
    teal.disc(eye, 30)
    night.path(bezier((-20, 300), (120, 620), (300, 620), eye, steps=80), 9)
    centre = (1016, 420)
    ridges, finger = red.blank(), red.blank()
    finger.oval((1012, 450), (196, 246))
    for ridge in range(9):
        r = 24.0 + ridge * 26
        lower = 230
        bend = arc(centre, (r * 0.82, r), (180 - 4 * ridge, 360 + 4 * ridge), 70)
        left, right = bend[0], bend[-1]
        tail_left = bezier(
            left, (left[0] - 2, left[1] + lower * 0.6), (left[0] + 14, left[1] + lower)
        )
        tail_right = bezier(
            right, (right[0] + 4, right[1] + lower * 0.7), (right[0] - 26, right[1] + lower * 1.25)
        )
        ridges.path([*reversed(tail_left), *bend, *tail_right], 12)
    for gap_angle, r in ((205, 128), (322, 154), (250, 180), (290, 102), (338, 206), (222, 232)):
        ridges.disc(arc(centre, (r * 0.82, r), (gap_angle, gap_angle), 1)[0], 13, CUT)
    red.add(ridges, finger)
    for row, width in enumerate((190, 150, 190, 90)):
        bar = turned(box(560, 330 + row * 62, 560 + width, 352 + row * 62), (800, 450), -6)
        night.polygon(bar)
    return press.pull()


def keys() -> Image.Image:
    """Three keys that look alike and one lock."""
    press = Press(seed=24)
    sun, teal, night = press.ink("sun"), press.ink("teal"), press.ink("night")
    sun.rect((0, 0, 1600, 900))
    cuts = ((40, 78, 40, 96), (40, 78, 40, 96), (78, 40, 96, 40))
    for row, (depths, plate) in enumerate(zip(cuts, (night, teal, night), strict=True)):
        _key(plate, (190, 210 + row * 240), depths)
    for plate in (sun, teal, night):
        plate.rect((1040, 130, 1450, 770), CUT, radius=28)
    teal.rect((1040, 130, 1450, 770), fade((1040, 130), (1450, 770), (1.0, 0.7)), radius=28)
    night.rect((1040, 130, 1072, 770))
    for y in (180, 720):
        for x in (1120, 1400):
            night.disc((x, y), 14)
    teal.disc((1250, 420), 128, CUT)
    sun.disc((1250, 420), 128)
    night.ring((1250, 420), 128, 12)
    night.disc((1250, 390), 42)
    night.polygon([(1236, 400), (1264, 400), (1286, 510), (1214, 510)])
    return press.pull()


def _key(plate: Plate, at: Point, depths: tuple[float, ...]) -> None:
    x, y = at
    plate.disc((x + 60, y), 96)
    plate.disc((x + 46, y), 40, CUT)
    plate.rect((x + 130, y - 26, x + 680, y + 26), radius=6)
    plate.rect((x + 168, y - 44, x + 196, y + 44), radius=6)
    for step, depth in enumerate(depths):
        left = x + 420 + step * 62
        plate.rect((left, y, left + 44, y + depth), radius=4)


def rings() -> Image.Image:
    """A tree's rings: a new year goes on the outside and renumbers nothing."""
    press = Press(seed=26)
    sun, red, night = press.ink("sun"), press.ink("vermilion"), press.ink("night")
    red.rect((0, 0, 1600, 900))
    dice = random.Random(3)
    waves = [(dice.uniform(0.012, 0.05), k, dice.uniform(0, math.tau)) for k in (2, 3, 5)]

    def ring(radius: float) -> list[Point]:
        turns = (math.tau * step / 240 for step in range(241))
        out = []
        for a in turns:
            swell = 1 + sum(s * math.sin(k * a + p) for s, k, p in waves) * min(1.0, radius / 300)
            out.append(
                (740 + radius * swell * math.cos(a) * 1.22, 450 + radius * swell * math.sin(a))
            )
        return out

    for plate in (red, night):
        plate.polygon(ring(404), CUT)
    night.polygon(ring(404))
    night.polygon(ring(376), CUT)
    sun.polygon(ring(376), 0.8)
    radius, thick = 376.0, True
    while radius > 20:
        radius -= dice.uniform(13, 34)
        if radius > 12:
            night.path(ring(radius), 9 if thick else 4.5)
        thick = dice.random() < 0.4
    red.disc((740, 450), 11)
    night.path([(752, 440), (1330, 150)], 4)
    for step in range(6):
        t = 0.12 + step * 0.105
        for plate in (sun, night):
            plate.disc((752 + 578 * t, 440 - 290 * t), 21, CUT)
        red.disc((752 + 578 * t, 440 - 290 * t), 15)
    night.disc((1330, 150), 58)
    night.disc((1330, 150), 44, CUT)
    red.disc((1330, 150), 44, CUT)
    sun.disc((1330, 150), 44)
    return press.pull()
