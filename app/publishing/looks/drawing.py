"""Draw the icons and the social image of a site with Pillow. Pure: the same look, the same bytes.

The fonts are those of the site. A letter that they lack is replaced by a drawn sheet of paper.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont, ImageOps

from app.publishing.text.palette import LIGHT

from .look import Look

ICON_SIZES = (180, 192, 512)
SOCIAL_SIZE = (1200, 630)

_FONT_FILE = Path(__file__).resolve().parents[3] / "static" / "fonts" / "newsreader.woff2"
_FONT = _FONT_FILE.read_bytes()
"""Read at start: a page that opens a file can't be purged when the file changes."""
_WEIGHT, _OPTICAL_SIZE = 640, 72
_PAPER = LIGHT.paper
_INK = "#1b2338"
_MARGIN = 90
_MAX_LINES = 3
_TITLE_SIZES = (112, 96, 80, 68, 56, 48)


@lru_cache(maxsize=16)
def _font(size: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(BytesIO(_FONT), size)
    font.set_variation_by_axes([_WEIGHT, _OPTICAL_SIZE])
    return font


def can_write(text: str) -> bool:
    """Tell whether the font has a glyph for each character."""
    return bool(text) and all(char.isspace() or _has_glyph(char) for char in text)


def _has_glyph(char: str) -> bool:
    left, top, right, bottom = _font(_TITLE_SIZES[-1]).getbbox(char)
    return right > left and bottom > top  # the font's glyph for a missing character is empty


def icon_svg(look: Look) -> str:
    """Return the icon of a site without an image: its first letter, or a sheet of paper."""
    inside = (
        f'<text x="32" y="46" text-anchor="middle" fill="{_PAPER}" font-size="42" '
        f'font-family="Georgia, \'Times New Roman\', serif" font-weight="700">{look.mark}</text>'
        if can_write(look.mark)
        else "".join(
            f'<rect x="{x}" y="{y}" width="{right - x}" height="{bottom - y}" fill="{_PAPER}"/>'
            for x, y, right, bottom in _sheet(64)
        )
    )
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">'
        f'<rect width="64" height="64" rx="13" fill="{look.colour}"/>{inside}</svg>\n'
    )


def icon_png(look: Look, size: int, content: bytes | None = None) -> bytes:
    """Return a square icon: of the image with this content, or drawn."""
    return _png(_icon(look, size, content))


def icon_ico(look: Look, content: bytes | None = None) -> bytes:
    """Return the icon as `/favicon.ico`, 32 pixels wide."""
    buffer = BytesIO()
    _icon(look, 32, content).save(buffer, "ICO", sizes=[(32, 32)])
    return buffer.getvalue()


def _icon(look: Look, size: int, content: bytes | None) -> Image.Image:
    if content is not None:
        return _fitted(content, size)
    image = Image.new("RGB", (size, size), look.colour)
    draw = ImageDraw.Draw(image)
    if can_write(look.mark):
        middle = (size / 2, size / 2)
        draw.text(middle, look.mark, _PAPER, _font(round(size * 0.68)), anchor="mm")
    else:
        for box in _sheet(size):
            draw.rectangle(box, _PAPER)
    return image


def _sheet(size: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield the boxes of a headline and of lines below it."""
    unit = size / 64
    for left, top, right, bottom in ((14, 14, 50, 24), (14, 30, 50, 34), (14, 40, 50, 44)):
        yield round(left * unit), round(top * unit), round(right * unit), round(bottom * unit)
    yield round(14 * unit), round(50 * unit), round(36 * unit), round(54 * unit)


def is_readable(content: bytes) -> bool:
    """Return whether an image can be decoded; a stored one may have been altered by SQL."""
    try:
        with Image.open(BytesIO(content)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return False
    return True


def _fitted(content: bytes, size: int) -> Image.Image:
    """Return an image inside a square of this size, on paper where it is transparent."""
    with Image.open(BytesIO(content)) as opened:
        image = ImageOps.exif_transpose(opened).convert("RGBA")
    image = ImageOps.contain(image, (size, size))
    square = Image.new("RGB", (size, size), _PAPER)
    square.paste(image, ((size - image.width) // 2, (size - image.height) // 2), image)
    return square


def social_png(look: Look, logo: bytes | None = None) -> bytes:
    """Return the image that other sites show with a link: logo and name on paper."""
    width, height = SOCIAL_SIZE
    image = Image.new("RGB", SOCIAL_SIZE, _PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, width, 28), look.colour)
    draw.rectangle((0, 36, width, 40), look.colour)
    top = _MARGIN
    if logo is not None:
        top = _paste_logo(image, logo, top) + 30
    elif not can_write(look.title):
        side = 260
        mark = _icon(look, side, None)
        image.paste(mark, ((width - side) // 2, (height + 40 - side) // 2))
    if can_write(look.title):
        _write_title(draw, look.title, top, height - _MARGIN)
    draw.rectangle((_MARGIN, height - 60, width - _MARGIN, height - 57), look.colour)
    return _png(image)


def _paste_logo(image: Image.Image, content: bytes, top: int) -> int:
    """Paste the logo at the left, and return where it ends."""
    with Image.open(BytesIO(content)) as opened:
        logo = ImageOps.exif_transpose(opened).convert("RGBA")
    logo = ImageOps.contain(logo, (SOCIAL_SIZE[0] - 2 * _MARGIN, 170))
    image.paste(logo, (_MARGIN, top), logo)
    return top + logo.height


def _write_title(draw: ImageDraw.ImageDraw, title: str, top: int, bottom: int) -> None:
    """Write the name as large as it fits into the space."""
    for size in _TITLE_SIZES:
        font = _font(size)
        lines = list(_wrapped(title, font))
        step = round(size * 1.08)
        if len(lines) <= _MAX_LINES and len(lines) * step <= bottom - top:
            break
    lines = lines[:_MAX_LINES]
    at = (top + bottom - len(lines) * step) // 2
    for number, line in enumerate(lines):
        draw.text((_MARGIN, at + number * step), line, _INK, font)


def _wrapped(text: str, font: ImageFont.FreeTypeFont) -> Iterator[str]:
    """Yield the lines of a text; a word that is longer than a line is cut."""
    most = SOCIAL_SIZE[0] - 2 * _MARGIN
    line = ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if not line or font.getlength(longer) <= most:
            line = longer
        else:
            yield _cut(line, font, most)
            line = word
    yield _cut(line, font, most)


def _cut(line: str, font: ImageFont.FreeTypeFont, most: int) -> str:
    while len(line) > 1 and font.getlength(line) > most:
        line = line.removesuffix("…")[:-1] + "…"
    return line


def _png(image: Image.Image) -> bytes:
    buffer = BytesIO()
    image.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
