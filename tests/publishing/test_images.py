"""Images are what their bytes say, bounded, and made smaller without their secrets."""

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import PngImagePlugin

from app.publishing import images
from app.publishing.images import ImageError, inspect, renditions

SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20"><path d="M0 0"/></svg>'


def picture(
    form: str, size: tuple[int, int] = (1000, 500), mode: str = "RGB", **options: object
) -> bytes:
    """Make an image file with some detail in it."""
    grey = Pillow.effect_noise(size, 60)
    out = BytesIO()
    (grey.convert(mode) if mode != "L" else grey).save(out, form, **options)
    return out.getvalue()


def sideways() -> bytes:
    """Make a photo that was taken with the camera on its side, with a place in its EXIF."""
    exif = Pillow.Exif()
    exif[0x0112] = 6
    exif[0x010E] = "SECRET-PLACE"
    return picture("JPEG", exif=exif)


@pytest.mark.parametrize(
    ("form", "media_type", "suffix"),
    [
        ("JPEG", "image/jpeg", "jpg"),
        ("PNG", "image/png", "png"),
        ("GIF", "image/gif", "gif"),
        ("WEBP", "image/webp", "webp"),
        ("AVIF", "image/avif", "avif"),
    ],
)
def test_the_bytes_decide_the_type(form: str, media_type: str, suffix: str) -> None:
    """A wrong name changes nothing but the stem."""
    info = inspect(picture(form), "../My Photo.exe")
    assert (info.media_type, info.name) == (media_type, f"my-photo.{suffix}")
    assert (info.width, info.height) == (1000, 500)
    assert len(info.digest) == 64


@pytest.mark.parametrize("form", ["BMP", "TIFF", "ICO"])
def test_other_formats_are_refused(form: str) -> None:
    """Decoders that nobody needs are no door."""
    with pytest.raises(ImageError, match="none of JPEG"):
        inspect(picture(form, (20, 20)), "a.png")


@pytest.mark.parametrize("data", [b"<html>", b"GIF89a", b"%PDF-1.7", b"\x00" * 99], ids=repr)
def test_what_is_no_image_is_refused(data: bytes) -> None:
    """One sentence, whatever the bytes are."""
    with pytest.raises(ImageError):
        inspect(data, "a.png")


def test_nothing_and_too_much_are_refused() -> None:
    """Neither is opened at all."""
    with pytest.raises(ImageError, match="empty"):
        inspect(b"", "a.png")
    with pytest.raises(ImageError, match="more than 20 MiB"):
        inspect(b"x" * (images.MAX_BYTES + 1), "a.png")


def test_half_an_image_is_refused() -> None:
    """A truncated file is found out before it is published."""
    data = picture("PNG")
    with pytest.raises(ImageError, match="damaged"):
        inspect(data[: len(data) // 2], "a.png")


@pytest.mark.parametrize("side", [7_100, 10_000, 13_500, 30_000])
def test_a_decompression_bomb_is_refused_undecoded(side: int) -> None:
    """A few kilobytes may not become hundreds of megabytes of pixels."""
    out = BytesIO()
    Pillow.new("1", (side, 10)).save(out, "PNG")
    bomb = bytearray(out.getvalue())
    bomb[20:24] = side.to_bytes(4, "big")
    crc = PngImagePlugin._crc32(bytes(bomb[12:29]))
    bomb[29:33] = crc.to_bytes(4, "big")
    for refuse in (lambda: inspect(bytes(bomb), "a.png"), lambda: renditions(bytes(bomb))):
        with pytest.raises(ImageError, match="million pixels"):
            refuse()


@pytest.mark.parametrize(
    ("form", "mode"),
    [
        *(("JPEG", mode) for mode in ("RGB", "L", "CMYK")),
        *(("PNG", mode) for mode in ("RGB", "RGBA", "L", "LA", "P", "1", "I;16")),
        ("GIF", "P"),
        ("WEBP", "RGBA"),
    ],
)
def test_every_mode_can_be_made_smaller(form: str, mode: str) -> None:
    """Greys, palettes, CMYK and 16 bits all become WebP."""
    if mode == "I;16":
        out = BytesIO()
        Pillow.effect_noise((1000, 500), 60).convert("I").point(lambda v: v * 200).convert(
            "I;16"
        ).save(out, form)
        data = out.getvalue()
    else:
        data = picture(form, mode=mode)
    copies = renditions(data, [480])
    assert [(copy.width, copy.height) for copy in copies] in ([(480, 240)], [])
    assert copies or mode == "1"  # one bit a pixel is small already


def test_copies_are_narrower_than_the_original_and_always_the_same() -> None:
    """Only widths below the image's own are made, and twice the same bytes."""
    data = picture("PNG")
    copies = renditions(data, [1600, 960, 480, 1000, 0, -5])
    assert [copy.width for copy in copies] == [480, 960]
    assert renditions(data, [480, 960]) == copies
    assert all(Pillow.open(BytesIO(copy.data)).format == "WEBP" for copy in copies)


def test_a_copy_that_would_be_larger_is_not_made() -> None:
    """A copy must earn its place."""
    out = BytesIO()
    Pillow.new("1", (500, 500)).save(out, "PNG", optimize=True)
    assert renditions(out.getvalue(), [499]) == ()


def test_a_photo_stands_upright_and_forgets_where_it_was_taken() -> None:
    """Orientation is applied, metadata is left behind."""
    data = sideways()
    assert b"SECRET-PLACE" in data
    info = inspect(data, "a.jpg")
    assert (info.width, info.height) == (500, 1000)
    (copy,) = renditions(data, [240])
    assert (copy.width, copy.height) == (240, 480)
    assert b"SECRET-PLACE" not in copy.data
    assert b"EXIF" not in copy.data


def test_a_moving_image_is_kept_as_it_is() -> None:
    """A smaller copy would stand still."""
    frames = [Pillow.effect_noise((600, 300), 50).convert("P") for _ in range(2)]
    out = BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    info = inspect(out.getvalue(), "a.gif")
    assert info.animated
    assert renditions(out.getvalue()) == ()


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ('viewBox="0 0 30 20"', (30, 20)),
        ('width="60" height="40px"', (60, 40)),
        ('width="100%" height="100%" viewBox="0 0 30 20"', (30, 20)),
        ('width="60" viewBox="0,0,30,20"', (60, 40)),
        ('height="40" viewBox="0 0 30 20"', (60, 40)),
        ('width="1in" height="25.4mm"', (96, 96)),
        ('width="nan" height="-5"', (300, 150)),
        ('viewBox="0 0 0 0"', (300, 150)),
        ("", (300, 150)),
    ],
)
def test_a_drawing_says_its_size(attributes: str, size: tuple[int, int]) -> None:
    """Width and height speak first, then the viewBox, then the default of CSS."""
    data = f'<svg xmlns="http://www.w3.org/2000/svg" {attributes}/>'.encode()
    info = inspect(data, "a.png")
    assert (info.width, info.height) == size
    assert (info.media_type, info.name) == ("image/svg+xml", "a.svg")
    assert renditions(data) == ()


@pytest.mark.parametrize(
    "data",
    [
        SVG,
        "\ufeff" + SVG,
        '<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by -->\n' + SVG,
        '<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/svg11.dtd">' + SVG,
        SVG.replace("<path", '<use href="#a"/><path fill="url(#b)"'),
        SVG.replace("<path", '<image href="data:image/png;base64,AAAA"/><path'),
        SVG.replace("<path", "<style>.a{fill:url(#b)}</style><path"),
        SVG.replace("<path", '<a href="https://a.example"><text>a</text></a><path'),
    ],
    ids=range(8),
)
def test_a_drawing_that_is_only_a_drawing_is_kept(data: str) -> None:
    """References within the file and embedded pictures are part of a drawing."""
    assert inspect(data.encode(), "a.svg").media_type == "image/svg+xml"


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("<script>alert(1)</script>", "can run code"),
        ("<foreignObject><p/></foreignObject>", "can run code"),
        ('<x:script xmlns:x="http://www.w3.org/2000/svg"/>', "can run code"),
        ('<path onload="x"/>', "event handler onload"),
        ('<image href="https://a.example/i.png"/>', "outside itself"),
        ('<image href="data:image/svg+xml,x"/>', "outside itself"),
        ('<use href="other.svg#a"/>', "outside itself"),
        (
            '<use xmlns:l="http://www.w3.org/1999/xlink" l:href="//a.example/a.svg#a"/>',
            "outside itself",
        ),
        ('<a href="javascript:alert(1)"/>', "outside itself"),
        ('<a href="&#106;avascript:alert(1)"/>', "outside itself"),
        ('<path fill="url(https://a.example)"/>', "outside itself"),
        ('<path style="fill: u\\72l(//a.example)"/>', "outside itself"),
        ('<path style="fill: url/**/(//a.example)"/>', "outside itself"),
        ("<style>@import 'https://a.example';</style>", "outside itself"),
        ("<style>@im<![CDATA[port]]> 'x';</style>", "outside itself"),
        ("<style>@import 'x';<path/></style>", "inside &lt;style|inside <style>"),
        ("<style>a{b:image-set('x' 1x)}</style>", "outside itself"),
        ('<set attributeName="xlink:href" to="javascript:x"/>', "animates a link"),
        ("<?xml-stylesheet href='x'?>", "outside itself"),
        ("<path>", "broken at line 1"),
        ("<g>" * 600 + "</g>" * 600, "nests too deep"),
    ],
    ids=range(21),
)
def test_a_drawing_that_is_more_is_refused(inner: str, reason: str) -> None:
    """Nothing in a drawing runs or loads."""
    data = SVG.replace("<path", f"{inner}<path").encode()
    with pytest.raises(ImageError, match=reason):
        inspect(data, "a.svg")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ('<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + SVG, "declares entities"),
        ('<!DOCTYPE svg [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + SVG, "declares entities"),
        ('<!DOCTYPE svg [<!ENTITY % a SYSTEM "https://a.example">%a;]>' + SVG, "declares entities"),
        ("<?xml version='1.0'?><html/>", "not SVG"),
        ("<svg/>", "not SVG"),
        ("<?xml version='1.0' encoding='utf-7'?>" + SVG, "encoding|broken"),
        ("<svg", "broken|none of"),
    ],
    ids=range(7),
)
def test_xml_tricks_are_refused(data: str, reason: str) -> None:
    """Entities, other documents and odd encodings end the reading."""
    with pytest.raises(ImageError, match=reason):
        inspect(data.encode(), "a.svg")


@given(st.binary(max_size=400), st.sampled_from([b"", b"<svg ", b"\x89PNG\r\n\x1a\n", b"\xff\xd8"]))
def test_any_bytes_are_an_image_or_refused(data: bytes, start: bytes) -> None:
    """Nothing but `ImageError` comes out of a bad file, and its sentence ends."""
    with pytest.raises(ImageError, match=r"\.$"):
        inspect(start + data, "a")
