"""Covers about presses, inks and type."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .press import CUT, SOLID, Plate, Point, Press, Tone, arc, fade, turned

if TYPE_CHECKING:
    from PIL import Image


def deadline() -> Image.Image:
    """A web of paper through a press's cylinders; the biggest cylinder is a clock."""
    press = Press(seed=15)
    press.ink("sun")
    teal, night = press.ink("teal"), press.ink("night")
    teal.rect((0, 520, 1600, 900), fade((0, 520), (0, 900), (0.12, 0.6)))
    clock, rolls = (800.0, 420.0), ((200.0, 560.0), (1400.0, 560.0))
    climb = [*arc(rolls[0], (160, 160), (90, 27), 20), *arc(clock, (314, 314), (207, 270), 40)]
    descent = [(1600 - x, y) for x, y in reversed(climb)]
    web = [(-30.0, 720.0), *climb, *descent, (1630.0, 720.0)]
    for plate in (teal, night):
        plate.path(web, 40, CUT)
    night.path([(x, y) for x, y in web], 40)
    night.path(web, 30, CUT)
    for centre in rolls:
        for plate in (teal, night):
            plate.disc(centre, 140, CUT)
        teal.disc(centre, 140)
        night.ring(centre, 140, 12)
        night.disc(centre, 28)
        for spoke in range(6):
            rim = arc(centre, (130, 130), (spoke * 60 + 15, 0), 1)[0]
            night.path([centre, rim], 11)
    for roller in ((60.0, 800.0), (340.0, 790.0), (1260.0, 790.0), (1540.0, 800.0)):
        night.disc(roller, 56)
        night.disc(roller, 20, CUT)
    _clock(press, clock)
    return press.pull()


def _clock(press: Press, centre: Point) -> None:
    sun, teal, night = press.ink("sun"), press.ink("teal"), press.ink("night")
    for plate in (teal, night):
        plate.disc(centre, 292, CUT)
    sun.disc(centre, 292)
    night.ring(centre, 292, 22)
    for hour in range(12):
        near, far = (200.0, 248.0) if hour % 3 == 0 else (224.0, 248.0)
        angle = hour * 30.0
        ends = [arc(centre, (r, r), (angle, angle), 1)[0] for r in (near, far)]
        night.path(ends, 22 if hour % 3 == 0 else 12)
    night.pie(centre, 200, (240, 270), 0.45)
    night.path([centre, arc(centre, (190, 190), (240, 240), 1)[0]], 18)
    night.path([centre, arc(centre, (130, 130), (268, 268), 1)[0]], 24)
    night.disc(centre, 30)
    sun.disc(centre, 11)


def small_print() -> Image.Image:
    """An asterisk, a dagger and a double dagger, as large as they dare."""
    press = Press(seed=16)
    sun, red, night = press.ink("sun"), press.ink("vermilion"), press.ink("night")
    sun.rect((0, 0, 534, 900))
    red.rect((534, 0, 1067, 900))
    night.rect((1067, 0, 1600, 900))
    for petal in range(6):
        drop = turned([(267, 425), (228, 258), (267, 230), (306, 258)], (267, 440), petal * 60)
        night.polygon(drop)
        tip = turned([(267, 252)], (267, 440), petal * 60)[0]
        night.disc(tip, 40)
    red.disc((267, 440), 40)
    _dagger(night, 800, (400,))
    for plate in (sun, red, night):
        _dagger(plate, 1333, (330, 560), tone=CUT)
    _dagger(sun, 1333, (330, 560))
    for row, width in enumerate((380, 380, 380, 230)):
        night.rect((78, 742 + row * 26, 78 + width, 752 + row * 26))
    return press.pull(grain=False)


def _dagger(plate: Plate, x: float, bars: tuple[float, ...], *, tone: Tone = SOLID) -> None:
    if len(bars) == 1:
        half = [(44, 130), (20, 400), (8, 770)]
    else:
        half = [(44, 130), (17, 300), (17, 590), (44, 770)]
    left = [(x - w, y) for w, y in reversed(half)]
    plate.polygon([*((x + w, y) for w, y in half), *left], tone)
    for y in bars:
        for side in (-1, 1):
            plate.polygon(
                [(x, y - 16), (x + side * 170, y - 48), (x + side * 170, y + 48), (x, y + 16)], tone
            )


def overprint() -> Image.Image:
    """Three discs, two and three inks deep, with the marks that keep them in register."""
    press = Press(seed=17)
    sun, red, teal, night = (press.ink(n) for n in ("sun", "vermilion", "teal", "night"))
    sun.disc((640, 360), 262)
    red.disc((960, 360), 262, fade((700, 200), (1220, 520), (1.0, 0.75)))
    teal.disc((800, 590), 262, fade((800, 330), (800, 860), (1.0, 0.6)))
    for x, y in ((110, 110), (1490, 110), (110, 790), (1490, 790)):
        night.ring((x, y), 34, 5)
        night.rect((x - 58, y - 2, x + 58, y + 3))
        night.rect((x - 2, y - 58, x + 3, y + 58))
    for step in range(6):
        for column, plate in ((0, sun), (1, red), (2, teal)):
            tone = 1 - step * 0.17
            left = 96 + column * 44
            plate.rect((left, 290 + step * 54, left + 44, 344 + step * 54), tone)
    for column in range(3):
        night.rect((1420 + column * 34, 290, 1424 + column * 34, 610))
    for step in range(17):
        night.rect((1410, 290 + step * 20, 1410 + (90 if step % 4 == 0 else 46), 293 + step * 20))
    return press.pull()
