"""A press: inks are stencils, printed one over the other on paper, slightly out of register.

The same seed always prints the same picture; nothing in here asks for the time or the machine.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from PIL import Image, ImageChops, ImageColor, ImageDraw, ImageFilter

PAPER = "#f4eddf"
INKS = {"night": "#22304f", "vermilion": "#f0533a", "sun": "#f8b830", "teal": "#17857f"}
ANGLES = {"night": 45.0, "vermilion": 15.0, "sun": 30.0, "teal": 75.0}

Point = tuple[float, float]
Tone = float | Callable[[float, float], float]
SOLID: Tone = 1.0
CUT: Tone = 0.0
_OVERSAMPLE = 2


@dataclass(kw_only=True)
class Plate:
    """One ink's stencil; coordinates are those of the finished picture."""

    size: tuple[int, int]
    angle: float
    pitch: float = 13.0
    mask: Image.Image = field(init=False)

    def __post_init__(self) -> None:
        """Start with a stencil that prints nothing."""
        self.mask = self._blank()

    def polygon(self, points: Iterable[Point], tone: Tone = SOLID) -> None:
        """Print a filled polygon."""
        scaled = [_scaled(p) for p in points]
        self._lay(lambda draw, value: draw.polygon(scaled, fill=value), tone)

    def rect(self, box: Sequence[float], tone: Tone = SOLID, *, radius: float = 0) -> None:
        """Print a rectangle given as left, top, right, bottom."""
        left, top, right, bottom = (v * _OVERSAMPLE for v in box)
        corner = radius * _OVERSAMPLE
        frame = (left, top, right - 1, bottom - 1)
        self._lay(lambda d, v: d.rounded_rectangle(frame, radius=corner, fill=v), tone)

    def disc(self, centre: Point, radius: float, tone: Tone = SOLID) -> None:
        """Print a filled circle."""
        box = _around(centre, radius, radius)
        self._lay(lambda draw, value: draw.ellipse(box, fill=value), tone)

    def oval(self, centre: Point, radii: Point, tone: Tone = SOLID) -> None:
        """Print a filled ellipse that lies level."""
        box = _around(centre, *radii)
        self._lay(lambda draw, value: draw.ellipse(box, fill=value), tone)

    def pie(self, centre: Point, radius: float, span: Point, tone: Tone = SOLID) -> None:
        """Print a slice of a circle; degrees run clockwise from three o'clock."""
        box = _around(centre, radius, radius)
        self._lay(lambda draw, value: draw.pieslice(box, *span, fill=value), tone)

    def ring(self, centre: Point, radius: float, width: float, tone: Tone = SOLID) -> None:
        """Print a circle's outline; the radius is that of its outer edge."""
        box = _around(centre, radius, radius)
        thick = round(width * _OVERSAMPLE)
        self._lay(lambda draw, value: draw.ellipse(box, outline=value, width=thick), tone)

    def path(self, points: Sequence[Point], width: float, tone: Tone = SOLID) -> None:
        """Print a line with round joints and ends."""
        scaled = [_scaled(p) for p in points]
        thick = width * _OVERSAMPLE

        def stroke(draw: ImageDraw.ImageDraw, value: int) -> None:
            draw.line(scaled, fill=value, width=round(thick))
            for x, y in scaled:
                half = thick / 2
                draw.ellipse((x - half, y - half, x + half, y + half), fill=value)

        self._lay(stroke, tone)

    def add(self, drawn: Plate, within: Plate) -> None:
        """Print what another plate shows where a third one prints."""
        part = ImageChops.multiply(drawn.mask, within.mask)
        self.mask = ImageChops.lighter(self.mask, part)

    def blank(self) -> Plate:
        """A fresh plate of the same kind, to prepare something on."""
        return Plate(size=self.size, angle=self.angle, pitch=self.pitch)

    def dashes(self, points: Sequence[Point], width: float, *, dash: int, gap: int) -> None:
        """Print a finely divided path as dashes, counted in points of the path."""
        for start in range(0, len(points), dash + gap):
            piece = points[start : start + dash]
            if len(piece) > 1:
                self.path(piece, width)

    def _blank(self) -> Image.Image:
        width, height = self.size
        return Image.new("L", (width * _OVERSAMPLE, height * _OVERSAMPLE), 0)

    def _lay(self, shape: Callable[[ImageDraw.ImageDraw, int], None], tone: Tone) -> None:
        if not callable(tone) and tone in (SOLID, CUT):
            shape(ImageDraw.Draw(self.mask), 255 if tone == SOLID else 0)
            return
        stencil = self._blank()
        shape(ImageDraw.Draw(stencil), 255)
        box = stencil.getbbox()
        if box is None:
            return
        dots = self._screen(box, tone)
        self.mask = ImageChops.lighter(self.mask, ImageChops.multiply(stencil, dots))

    def _screen(self, box: tuple[int, int, int, int], tone: Tone) -> Image.Image:
        """Halftone dots inside a box, their area following the tone."""
        screen = self._blank()
        draw = ImageDraw.Draw(screen)
        pitch = self.pitch * _OVERSAMPLE
        cos, sin = math.cos(math.radians(self.angle)), math.sin(math.radians(self.angle))
        centre = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        reach = int(math.hypot(box[2] - box[0], box[3] - box[1]) / 2 / pitch) + 2
        for row in range(-reach, reach + 1):
            for column in range(-reach, reach + 1):
                x = centre[0] + (column * cos - row * sin) * pitch
                y = centre[1] + (column * sin + row * cos) * pitch
                if box[0] - pitch < x < box[2] + pitch and box[1] - pitch < y < box[3] + pitch:
                    _dot(draw, (x, y), _area(tone, x, y), pitch)
        return screen


@dataclass(kw_only=True)
class Press:
    """Paper and the inks that go over it, in the order in which they were asked for."""

    width: int = 1600
    height: int = 900
    seed: int = 1
    paper: str = PAPER
    plates: dict[str, Plate] = field(default_factory=dict)

    def ink(self, name: str, *, pitch: float = 13.0) -> Plate:
        """Put an ink on the press, or return the one that is there."""
        if name not in self.plates:
            size = (self.width, self.height)
            self.plates[name] = Plate(size=size, angle=ANGLES[name], pitch=pitch)
        return self.plates[name]

    def pull(self, *, grain: bool = True, register: bool = False) -> Image.Image:
        """Print every ink, as a rule with a grain of its own and a hair out of register."""
        dice = random.Random(self.seed)
        sheet = Image.new("RGB", (self.width, self.height), self.paper)
        white = Image.new("RGB", sheet.size, "white")
        for index, (name, plate) in enumerate(self.plates.items()):
            mask = plate.mask.resize(sheet.size, Image.Resampling.LANCZOS)
            if index and not register:
                still = mask.copy()
                mask.paste(still, (dice.choice((-3, -2, 2, 3)), dice.choice((-2, 2))))
            if grain:
                mask = ImageChops.multiply(mask, _grain(sheet.size, dice))
            colour = Image.new("RGB", sheet.size, ImageColor.getrgb(INKS[name]))
            sheet = ImageChops.multiply(sheet, Image.composite(colour, white, mask))
        return sheet


def bezier(*points: Point, steps: int = 60) -> list[Point]:
    """Points along the Bézier curve of the given control points."""
    curve = []
    for step in range(steps + 1):
        t = step / steps
        layer = list(points)
        while len(layer) > 1:
            layer = [
                (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t) for a, b in pairwise(layer)
            ]
        curve.append(layer[0])
    return curve


def arc(centre: Point, radii: Point, span: Point, steps: int = 90) -> list[Point]:
    """Points along an ellipse's arc; degrees run clockwise from three o'clock."""
    start, end = span
    angles = (math.radians(start + (end - start) * step / steps) for step in range(steps + 1))
    return [
        (centre[0] + radii[0] * math.cos(a), centre[1] + radii[1] * math.sin(a)) for a in angles
    ]


def turned(points: Iterable[Point], centre: Point, degrees: float) -> list[Point]:
    """The points turned clockwise around a centre."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    cx, cy = centre
    return [
        (cx + (x - cx) * cos - (y - cy) * sin, cy + (x - cx) * sin + (y - cy) * cos)
        for x, y in points
    ]


def box(left: float, top: float, right: float, bottom: float) -> list[Point]:
    """A rectangle's corners, to be turned or bent."""
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def fade(start: Point, end: Point, tones: Point) -> Callable[[float, float], float]:
    """A tone that goes evenly from one value to another between two points."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    length = dx * dx + dy * dy

    def tone(x: float, y: float) -> float:
        along = ((x - start[0]) * dx + (y - start[1]) * dy) / length
        return tones[0] + (tones[1] - tones[0]) * min(max(along, 0.0), 1.0)

    return tone


def _scaled(point: Point) -> Point:
    return point[0] * _OVERSAMPLE, point[1] * _OVERSAMPLE


def _around(centre: Point, rx: float, ry: float) -> tuple[float, float, float, float]:
    x, y = _scaled(centre)
    return (x - rx * _OVERSAMPLE, y - ry * _OVERSAMPLE, x + rx * _OVERSAMPLE, y + ry * _OVERSAMPLE)


def _area(tone: Tone, x: float, y: float) -> float:
    return tone(x / _OVERSAMPLE, y / _OVERSAMPLE) if callable(tone) else tone


def _dot(draw: ImageDraw.ImageDraw, at: Point, area: float, pitch: float) -> None:
    radius = pitch * math.sqrt(max(area, 0.0) / math.pi)
    if radius > 0.4:
        draw.ellipse((at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius), fill=255)


def _grain(size: tuple[int, int], dice: random.Random) -> Image.Image:
    """Uneven inking: broad clouds and a fine speckle, both faint."""
    clouds = _noise((size[0] // 90, size[1] // 90), (228, 255), dice)
    speckle = _noise((size[0] // 3, size[1] // 3), (236, 255), dice)
    clouds = clouds.resize(size, Image.Resampling.BICUBIC)
    speckle = speckle.resize(size, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(0.6))
    return ImageChops.multiply(clouds, speckle)


def _noise(size: tuple[int, int], span: tuple[int, int], dice: random.Random) -> Image.Image:
    low, high = span
    scale = (high - low) / 255
    data = bytes(low + round(b * scale) for b in dice.randbytes(size[0] * size[1]))
    return Image.frombytes("L", size, data)
