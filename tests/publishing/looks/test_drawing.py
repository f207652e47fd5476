"""The icons and the social image that are drawn for a site."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from app.publishing.looks import drawing
from app.publishing.looks.look import SVG, Look, Picture
from app.publishing.svg import inspect

ADA = Look(title="Ada's notes", accent="#8a1c5b")


def picture(width: int, height: int, kind: str = "image/png") -> Picture:
    """Return an image of the settings."""
    path = f"/media/0123456789abcdef0123/{width}.x"
    return Picture(
        media_id=1, path=path, shown_path=path, content_type=kind, width=width, height=height
    )


def content(colour: str, size: tuple[int, int] = (200, 100)) -> bytes:
    """Return the bytes of an image."""
    file = BytesIO()
    Image.new("RGBA", size, colour).save(file, "PNG")
    return file.getvalue()


def pixels(data: bytes) -> Image.Image:
    """Decode a drawn file."""
    image = Image.open(BytesIO(data))
    image.load()
    return image.convert("RGB")


@pytest.mark.parametrize("size", drawing.ICON_SIZES)
@pytest.mark.parametrize("title", ["Ada", "عربي", "日本", "---"])
def test_an_icon_is_a_square_in_the_accent_colour_with_a_mark(title: str, size: int) -> None:
    """A letter that the font lacks is replaced by a sheet of paper."""
    image = pixels(drawing.icon_png(Look(title=title, accent="#8a1c5b"), size))
    assert image.size == (size, size)
    assert image.getpixel((0, 0)) == (0x8A, 0x1C, 0x5B)
    assert (0xFB, 0xF7, 0xEE) in {colour for _, colour in image.getcolors(100_000) or ()}


@pytest.mark.parametrize("title", ["Ada", "<b>", "&", "عربي", ""])
def test_the_svg_icon_is_an_image_that_the_site_accepts(title: str) -> None:
    """For every first letter of the name."""
    assert inspect(drawing.icon_svg(Look(title=title)).encode()) == (64, 64)


def test_a_given_icon_fills_the_square_and_a_logo_is_fitted_into_it() -> None:
    """With paper above and below a wide one."""
    image = pixels(drawing.icon_png(ADA, 180, content("#0000ff")))
    assert image.getpixel((90, 90)) == (0, 0, 255)
    assert image.getpixel((90, 2)) == (0xFB, 0xF7, 0xEE)


def test_the_favicon_is_an_ico_of_32_pixels() -> None:
    """As old browsers expect it."""
    image = Image.open(BytesIO(drawing.icon_ico(ADA)))
    assert (image.format, image.size) == ("ICO", (32, 32))


@pytest.mark.parametrize(
    "title", ["A", "Ada's notes", "word " * 30, "Donaudampfschifffahrtsgesellschaft" * 3, "日本"]
)
@pytest.mark.parametrize("has_logo", [True, False])
def test_the_social_image_has_its_size_and_stays_inside_its_margins(
    title: str, *, has_logo: bool
) -> None:
    """The name is written smaller, and cut at last, but never beyond the edge."""
    look = Look(title=title, accent="#8a1c5b")
    image = pixels(drawing.social_png(look, content("#0000ff") if has_logo else None))
    assert image.size == drawing.SOCIAL_SIZE
    margin = image.crop((1130, 60, 1200, 630)).getcolors()
    assert margin == [(70 * 570, (0xFB, 0xF7, 0xEE))]


def test_the_same_look_gives_the_same_bytes() -> None:
    """Every process serves the same file under one address."""
    assert drawing.social_png(ADA) == drawing.social_png(ADA)
    assert drawing.icon_png(ADA, 180) == drawing.icon_png(ADA, 180)


@pytest.mark.parametrize(
    ("look", "source"),
    [
        (Look(title="x", icon=picture(64, 64), logo=picture(70, 70)), (64, 64)),
        (Look(title="x", logo=picture(70, 60)), (70, 60)),
        (Look(title="x", logo=picture(200, 60)), None),
        (Look(title="x", logo=picture(60, 200)), None),
        (Look(title="x"), None),
    ],
)
def test_the_icon_comes_before_a_square_logo(look: Look, source: tuple[int, int] | None) -> None:
    """A wide logo would be too small to see."""
    given = look.icon_source
    assert (None if given is None else (given.width, given.height)) == source


def test_each_digest_depends_on_what_is_drawn() -> None:
    """Another colour, letter or image is another address; the rest of the name is none."""
    logo = picture(64, 64)
    looks = [
        ADA,
        Look(title="Bo", accent="#8a1c5b"),
        Look(title="Ada's notes", accent="#0f6a64"),
        Look(title="Ada's notes", accent="#8a1c5b", logo=logo),
    ]
    assert len({look.icon_digest for look in looks}) == len(looks)
    assert len({look.social_digest for look in looks}) == len(looks)
    assert Look(title="Anna", accent="#8a1c5b").icon_digest == ADA.icon_digest
    assert picture(1, 1, SVG).is_drawing
    assert not logo.is_drawing
