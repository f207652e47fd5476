"""Covers about sheets and letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .press import CUT, Plate, Point, Press, bezier, box, fade, turned

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL import Image


def _copy(plate: Plate, left: float, top: float, width: float, lines: int, *, step: float) -> None:
    """Grey copy: a column of lines, the last one short."""
    for line in range(lines):
        right = left + width * (0.62 if line == lines - 1 else 1)
        plate.rect((left, top + line * step, right, top + line * step + step * 0.42))


def tablecloth() -> Image.Image:
    """A reader who has vanished behind a newspaper, but for hat, fingers and legs."""
    press = Press(seed=11)
    sun, red, night = press.ink("sun"), press.ink("vermilion"), press.ink("night")
    sun.disc((800, 470), 420, fade((800, 60), (800, 900), (0.95, 0.25)))
    red.pie((800, 176), 118, (180, 360))
    night.rect((682, 150, 918, 178))
    red.rect((612, 172, 988, 196), radius=12)
    for x in (690, 838):
        night.polygon([(x, 700), (x + 72, 700), (x + 64, 846), (x + 8, 846)])
    for x, toe in ((690, -58), (838, 58)):
        night.rect((min(x, x + toe), 828, max(x + 72, x + 72 + toe), 866), radius=19)
    page = [(318, 196), (800, 220), (1282, 196), (1300, 728), (800, 752), (300, 728)]
    for plate in (sun, red, night):
        plate.polygon(page, CUT)
    night.path([*page, page[0]], 6)
    night.path([(800, 220), (800, 752)], 5)
    night.polygon(
        [(800, 220), (850, 218), (838, 750), (800, 752)], fade((800, 0), (850, 0), (0.5, 0))
    )
    _front_page(red, night)
    for left, right in ((282, 338), (1262, 1318)):
        for knuckle in range(4):
            top = 420 + knuckle * 34
            red.rect((left, top, right, top + 28), radius=14)
    return press.pull()


def _front_page(red: Plate, night: Plate) -> None:
    night.rect((862, 256, 1238, 308))
    night.rect((862, 324, 1238, 328))
    red.rect((862, 350, 1112, 536), fade((862, 350), (1112, 536), (0.9, 0.25)))
    night.disc((1040, 420), 40)
    night.polygon([(862, 536), (930, 440), (990, 500), (1026, 470), (1112, 536)])
    for left, top, lines in ((1132, 352, 13), (862, 558, 9), (996, 558, 9), (1132, 558, 9)):
        _copy(night, left, top, 106, lines, step=15.4)
    red.rect((362, 256, 742, 280))
    red.rect((362, 290, 620, 314))
    for column in range(3):
        _copy(night, 362 + column * 133, 340, 112, 15, step=15.4)
    night.rect((362, 592, 742, 690), 0.28)
    night.rect((384, 614, 520, 668))
    _copy(night, 544, 616, 172, 4, step=15.4)


def thread() -> Image.Image:
    """One thread sewn through three leaves, from number to number."""
    press = Press(seed=12)
    teal, red, night = press.ink("teal"), press.ink("vermilion"), press.ink("night")
    teal.rect((0, 0, 1600, 900))
    leaves = (((330, 470), -9.0, 3), ((800, 430), 4.0, 2), ((1268, 470), 10.0, 4))
    knots: list[Point] = []
    for centre, lean, marks in leaves:
        knots.append(_leaf((teal, red, night), centre, lean, marks))
    route = [
        *bezier((-20, 180), (130, 60), (320, 120), knots[0]),
        *bezier(knots[0], (300, 960), (560, 960), (620, 520), knots[1]),
        *bezier(knots[1], (760, 20), (1040, -40), (1090, 400), knots[2]),
        *bezier(knots[2], (1420, 700), (1500, 760), (1620, 640)),
    ]
    for plate in (teal, night):
        plate.path(route, 24, CUT)
    red.path(route, 15)
    for knot in knots:
        for plate in (teal, red, night):
            plate.disc(knot, 34, CUT)
        red.disc(knot, 30)
        night.disc(knot, 12)
    return press.pull()


def _leaf(plates: tuple[Plate, ...], centre: Point, lean: float, marks: int) -> Point:
    teal, red, night = plates
    x, y = centre
    sheet = turned(box(x - 172, y - 250, x + 172, y + 250), centre, lean)
    night.polygon([(px + 16, py + 18) for px, py in sheet], 0.55)
    for plate in plates:
        plate.polygon(sheet, CUT)
    for line in range(17):
        top = y - 168 + line * 22
        end = x + (132 if line % 6 != 5 else 20)
        night.polygon(turned(box(x - 132, top, end, top + 8), centre, lean))
    red.polygon(turned(box(x - 132, y - 214, x + 40, y - 190), centre, lean))
    for mark in range(marks):
        left = x - 132 + mark * 22
        teal.polygon(turned(box(left, y + 212, left + 12, y + 232), centre, lean))
    return turned([(x + 20, y - 40 + marks * 30)], centre, lean)[0]


def forwarded() -> Image.Image:
    """An envelope whose old address is struck out and whose new one is an arrow away."""
    press = Press(seed=13)
    sun, red, night = press.ink("sun"), press.ink("vermilion"), press.ink("night")
    sun.rect((0, 0, 1600, 900))
    for row in range(-900, 1600, 150):
        sun.polygon([(row, 0), (row + 66, 0), (row + 966, 900), (row + 900, 900)], CUT)
    centre = (800, 452)

    def lean(points: list[Point]) -> list[Point]:
        return turned(points, centre, -5)

    night.polygon([(x + 22, y + 26) for x, y in lean(box(330, 180, 1270, 724))], 0.75)
    for plate in (sun, red, night):
        plate.polygon(lean(box(330, 180, 1270, 724)), CUT)
    for edge in range(14):
        left = 330 + edge * 68
        ink = red if edge % 2 else night
        for top in (180, 698):
            ink.polygon(
                lean([(left + 14, top), (left + 52, top), (left + 38, top + 26), (left, top + 26)])
            )
    for line, width in enumerate((300, 250, 180)):
        top = 402 + line * 56
        night.polygon(lean(box(420, top, 420 + width, top + 18)))
    red.path(lean([(396, 554), (730, 372)]), 12)
    red.path(lean([(396, 380), (730, 560)]), 12)
    _stamp(press, lean)
    red.path(lean(bezier((800, 470), (900, 400), (980, 480), (1080, 470))), 16)
    red.polygon(lean([(1066, 428), (1146, 466), (1070, 512)]))
    for line, width in enumerate((170, 120)):
        night.polygon(lean(box(850, 560 + line * 44, 850 + width * 1.6, 574 + line * 44)))
    return press.pull()


def _stamp(press: Press, lean: Callable[[list[Point]], list[Point]]) -> None:
    sun, red, night = press.ink("sun"), press.ink("vermilion"), press.ink("night")
    frame = (1050, 234, 1214, 416)
    night.polygon(lean(box(*frame)))
    for step in range(9):
        for hole in ((1050.0, 238.0 + step * 22), (1214.0, 238.0 + step * 22)):
            night.disc(lean([hole])[0], 8, CUT)
        for hole in ((1050 + step * 20.5, 234.0), (1050 + step * 20.5, 416.0)):
            night.disc(lean([hole])[0], 8, CUT)
    night.polygon(lean(box(1072, 256, 1192, 394)), CUT)
    sun.polygon(lean(box(1072, 256, 1192, 394)))
    red.disc(lean([(1132, 318)])[0], 38)
    night.polygon(lean([(1072, 394), (1110, 338), (1140, 372), (1162, 350), (1192, 394)]))
    for wave in range(4):
        y = 262 + wave * 30
        night.path(
            lean(
                bezier((880, y), (940, y - 40), (980, y + 40), (1040, y), (1096, y - 30), (1130, y))
            ),
            6,
        )
    for radius in (74, 54):
        night.ring(lean([(862, 306)])[0], radius, 6)


def measure() -> Image.Image:
    """A column of type held between callipers, and the eye's way down it."""
    press = Press(seed=14)
    red, teal, night = press.ink("vermilion"), press.ink("teal"), press.ink("night")
    red.rect((0, 0, 1600, 900))
    for plate in (red, teal, night):
        plate.rect((520, 92, 1080, 808), CUT)
    widths = (0.97, 1, 0.92, 0.96, 1, 0.94, 0.55)
    for line, width in enumerate(widths):
        top = 216 + line * 82
        night.rect((580, top, 580 + 440 * width, top + 26), radius=4)
        if line < len(widths) - 1:
            start = (580 + 440 * width - 20, top + 46)
            teal.path(bezier(start, (1010, top + 62), (600, top + 44), (598, top + 66)), 9)
            teal.polygon([(584, top + 54), (612, top + 54), (598, top + 76)])
    teal.rect((580, 140, 820, 176))
    for side in (-1, 1):
        edge = 800 + side * 280
        red.rect((min(edge, edge + side * 26), 30, max(edge, edge + side * 26), 870), CUT)
        night.rect((min(edge, edge + side * 26), 30, max(edge, edge + side * 26), 870))
        night.rect((min(edge, edge + side * 330), 836, max(edge, edge + side * 330), 870))
        for tick in range(1, 15):
            long = 58 if tick % 5 == 0 else 30
            x = edge + side * (26 + tick * 20)
            night.rect((x - 3, 836 - long, x + 3, 836))
    return press.pull()


def plane() -> Image.Image:
    """A page folded into a dart: nothing on board, and it flies."""
    press = Press(seed=18)
    teal, sun, red, night = (press.ink(n) for n in ("teal", "sun", "vermilion", "night"))
    teal.rect((0, 0, 1600, 900))
    sun.disc((1270, 250), 128)
    teal.disc((1270, 250), 128, CUT)
    trail = [
        *bezier((-30, 760), (240, 820), (460, 740), (560, 560), steps=90),
        *bezier((560, 560), (640, 400), (480, 300), (400, 400), steps=90)[1:],
        *bezier((400, 400), (330, 520), (520, 640), (800, 560), steps=90)[1:],
    ]
    night.dashes(trail, 9, dash=9, gap=8)
    nose, far, near = (1360, 300), (660, 262), (800, 700)
    crease, keel = (770, 448), (892, 604)
    for plate in (teal, sun, red, night):
        plate.polygon([nose, far, crease, near, keel], CUT)
        plate.polygon([nose, crease, keel], CUT)
        plate.polygon([nose, (846, 536), near], CUT)
    red.polygon([nose, far, crease])
    night.polygon([nose, crease, keel])
    red.polygon([nose, (846, 536), near], 0.4)
    night.path([nose, (846, 536), near, nose], 5)
    night.path([nose, far, crease, nose], 5)
    for line in range(7):
        t = 0.1 + line * 0.1
        a = (far[0] + (nose[0] - far[0]) * t, far[1] + (nose[1] - far[1]) * t)
        b = (crease[0] + (nose[0] - crease[0]) * t, crease[1] + (nose[1] - crease[1]) * t)
        mid = ((a[0] + 2 * b[0]) / 3, (a[1] + 2 * b[1]) / 3)
        red.path([((2 * a[0] + b[0]) / 3, (2 * a[1] + b[1]) / 3), mid], 7, CUT)
    for x, y, r in (
        (180, 210, 90),
        (290, 230, 66),
        (90, 240, 60),
        (1420, 690, 84),
        (1520, 710, 62),
        (1320, 720, 56),
    ):
        for plate in (teal, sun):
            plate.disc((x, y), r, CUT)
    for left, top, right in ((20, 230, 360), (1260, 720, 1590)):
        teal.rect((left, top, right, top + 90), fade((0, top), (0, top + 90), (0.35, 0.2)))
    return press.pull()
