"""A stored image shows the same picture as the uploaded one, and tells nothing else."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageChops, ImageCms, ImageOps, PngImagePlugin

from app.publishing.images import ImageError, inspect, remove_metadata, renditions

SECRET = b"SECRET-PLACE-48.8584N"
ORIENTATION = 0x0112


def exif(orientation: int | None = None) -> bytes:
    """An EXIF block with a place, and an orientation if one is given."""
    block = Pillow.Exif()
    block[0x010E] = SECRET.decode()
    if orientation is not None:
        block[ORIENTATION] = orientation
    return block.tobytes()


def xmp() -> bytes:
    """An XMP packet with the place."""
    return b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + SECRET + b"</x:xmpmeta>"


@cache
def profile() -> bytes:
    """A colour profile, which must stay."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def picture(form: str, *, size: tuple[int, int] = (60, 40), **options: Any) -> bytes:
    """An image file whose pixels tell up from down and left from right."""
    image = Pillow.radial_gradient("L").resize(size).convert("RGB")
    image.paste((250, 10, 10), (0, 0, size[0] // 3, size[1] // 4))
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


def frames() -> list[Pillow.Image]:
    """The frames of an animation."""
    return [Pillow.new("RGB", (30, 20), colour) for colour in ("red", "green", "blue")]


def animation(form: str, **options: Any) -> bytes:
    """An animation of three frames."""
    first, *rest = frames()
    out = BytesIO()
    first.save(out, form, save_all=True, append_images=rest, duration=90, loop=3, **options)
    return out.getvalue()


def segment(marker: int, payload: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def jpeg_with_everything() -> bytes:
    """A JPEG with each kind of segment that can tell something."""
    data = picture("JPEG", exif=exif(), icc_profile=profile(), comment=SECRET)
    extra = b"".join(
        (
            segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp()),
            segment(0xE1, b"http://ns.adobe.com/xmp/extension/\0" + SECRET),
            segment(0xED, b"Photoshop 3.0\0" + SECRET),
            segment(0xEA, SECRET),
            segment(0xE0, b"JFXX\0" + SECRET),
            segment(0xEE, b"Adobe\0\x64\0\0\0\0\x01" + SECRET),
        )
    )
    return data[:2] + extra + data[2:] + SECRET + picture("JPEG", exif=exif())


def png_chunk(kind: bytes, payload: bytes) -> bytes:
    """A chunk of a PNG."""
    return (
        struct.pack(">I4s", len(payload), kind)
        + payload
        + struct.pack(">I", zlib.crc32(kind + payload))
    )


def png_with_everything() -> bytes:
    """A PNG with each kind of chunk that can tell something."""
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", SECRET.decode())
    info.add_text("Author", SECRET.decode(), zip=True)
    info.add_itxt("XML:com.adobe.xmp", xmp().decode())
    data = picture("PNG", pnginfo=info, exif=exif(), icc_profile=profile())
    extra = png_chunk(b"tIME", SECRET[:7]) + png_chunk(b"prVt", SECRET)
    return data[:33] + extra + data[33:] + SECRET


def webp_with_everything() -> bytes:
    """A WebP with EXIF, XMP, an unknown chunk, and bytes after the end."""
    data = picture("WEBP", exif=exif(), xmp=xmp(), icc_profile=profile(), lossless=True)
    body = data[8:] + b"priv" + struct.pack("<I", len(SECRET)) + SECRET + b"\0"
    return b"RIFF" + struct.pack("<I", len(body)) + body + SECRET


def gif_with_everything() -> bytes:
    """An animated GIF with a comment, an application's block, and bytes after the end."""
    data = animation("GIF", comment=SECRET)
    block = bytes([len(SECRET)]) + SECRET + b"\0"
    start = 13 + (3 * 2 ** ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    extra = b"\x21\xff\x0bXMP DataXMP" + block + b"\x21\xfe" + block
    return data[:start] + extra + data[start:] + SECRET


def avif_with_everything() -> bytes:
    """An AVIF with EXIF, XMP, a foreign box, and bytes after the end."""
    data = picture("AVIF", exif=exif(), xmp=xmp(), icc_profile=profile())
    box = struct.pack(">I4s", 8 + 16 + len(SECRET), b"uuid") + bytes(16) + SECRET
    return data + box + SECRET


CASES: dict[str, Callable[[], bytes]] = {
    "jpeg": jpeg_with_everything,
    "progressive jpeg": lambda: picture("JPEG", progressive=True, exif=exif(), comment=SECRET),
    "cmyk jpeg": lambda: encode_image(
        Pillow.new("CMYK", (9, 9)), "JPEG", exif=exif(), comment=SECRET
    ),
    "png": png_with_everything,
    "palette png": lambda: encode_image(
        frames()[0].convert("P"), "PNG", exif=exif(), transparency=0
    ),
    "animated png": lambda: animation("PNG", exif=exif()),
    "webp": webp_with_everything,
    "lossy webp": lambda: picture("WEBP", exif=exif(), xmp=xmp()),
    "animated webp": lambda: animation("WEBP", exif=exif(), xmp=xmp(), lossless=True),
    "gif": gif_with_everything,
    "avif": avif_with_everything,
}


def encode_image(image: Pillow.Image, form: str, **options: Any) -> bytes:
    """An image as a file."""
    out = BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@pytest.mark.parametrize("name", CASES)
def test_nothing_but_the_picture_is_left(name: str) -> None:
    """No secret, no EXIF, no byte after the image; the same pixels, frames, timing and profile."""
    data = CASES[name]()
    assert SECRET[:7] in data or name.startswith("palette"), "the case holds no secret"
    clean: bytes = remove_metadata(data)
    assert SECRET[:7] not in clean
    with Pillow.open(BytesIO(data)) as before, Pillow.open(BytesIO(clean)) as after:
        assert 0x010E not in after.getexif()
        assert after.info.get("icc_profile") == before.info.get("icc_profile")
        assert getattr(after, "n_frames", 1) == (
            1 if "jpeg" in name else getattr(before, "n_frames", 1)
        )
        assert after.info.get("loop") == before.info.get("loop")
        for number in range(getattr(after, "n_frames", 1)):
            before.seek(number)
            after.seek(number)
            assert after.info.get("duration") == before.info.get("duration")
            assert after.size == before.size
            assert after.convert("RGBA").tobytes() == before.convert("RGBA").tobytes()


@pytest.mark.parametrize("name", CASES)
def test_a_clean_image_stays_as_it_is(name: str) -> None:
    """What is exported and imported again keeps its bytes, and so its address."""
    clean: bytes = remove_metadata(CASES[name]())
    assert remove_metadata(clean) == clean
    assert inspect(clean, "a").digest == inspect(remove_metadata(clean), "a").digest


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_photo_stays_upright(form: str, orientation: int) -> None:
    """The orientation of a JPEG stays as its only field; a PNG and a WebP are turned themselves."""
    options: dict[str, Any] = {"lossless": True} if form == "WEBP" else {}
    data = picture(form, exif=exif(orientation), **options)
    clean: bytes = remove_metadata(data)
    assert SECRET not in clean
    with Pillow.open(BytesIO(data)) as before, Pillow.open(BytesIO(clean)) as after:
        fields = dict(after.getexif())
        assert fields == ({ORIENTATION: orientation} if form == "JPEG" and orientation > 1 else {})
        upright, reference = ImageOps.exif_transpose(after), ImageOps.exif_transpose(before)
        difference = ImageChops.difference(upright.convert("RGB"), reference.convert("RGB"))
        assert difference.getbbox() is None
    assert remove_metadata(clean) == clean


def test_a_phone_photo_of_two_pictures_is_a_jpeg() -> None:
    """A multi-picture file (MPO) keeps its first picture; the gain map or second eye goes."""
    data = encode_image(frames()[0], "MPO", save_all=True, append_images=frames()[1:], exif=exif())
    assert inspect(remove_metadata(data), "a.jpg").media_type == "image/jpeg"


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"mif1", b"msf1", b"hevc"])
def test_heic_is_refused_with_advice(brand: bytes) -> None:
    """The sentence names the format and what to do."""
    data = struct.pack(">I4s4s4s4s", 24, b"ftyp", brand, b"\0\0\0\0", b"miaf") + bytes(8)
    with pytest.raises(ImageError, match=r"HEIC.*export it as JPEG"):
        remove_metadata(data)


@pytest.mark.parametrize("name", CASES)
def test_a_truncated_image_is_refused_or_clean(name: str) -> None:
    """A file that ends early at any place never leads to another error, and tells nothing."""
    data = CASES[name]()
    for end in range(0, len(data), max(1, len(data) // 60)):
        try:
            clean: bytes = remove_metadata(data[:end])
            inspect(clean, "a")
            renditions(clean)
        except ImageError:
            continue
        assert SECRET[:7] not in clean


@given(
    st.sampled_from(sorted(CASES)),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), max_size=6),
)
def test_a_damaged_image_is_refused_or_accepted(
    name: str, changes: list[tuple[float, int]]
) -> None:
    """Changed bytes lead to an image or to one sentence, never to another error."""
    data = bytearray(CASES[name]())
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    with suppress(ImageError):
        inspect(remove_metadata(bytes(data)), "a")


DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 30 20">{}<path d="M0 0"/></svg>'
HTML = '<b xmlns="http://www.w3.org/1999/xhtml" onclick="x">SECRET<script>x</script></b>'
JPEG_URL = "data:image/jpeg;base64," + base64.b64encode(jpeg_with_everything()).decode()


@pytest.mark.parametrize(
    ("inner", "rest"),
    [
        (
            f"<switch><foreignObject width='9'>{HTML}</foreignObject><text>Label</text></switch>",
            "<switch><text>Label</text></switch>",
        ),
        ('<foreignObject a=">"/><g/>', "<g/>"),
        ("<g><metadata><a b='SECRET'/></metadata></g>", "<g></g>"),
        ("<metadata><?xpacket begin='SECRET'?></metadata>", ""),
        ("<!-- SECRET --><g/><!-- > -- SECRET".replace(" -- S", " S") + " -->", "<g/>"),
        (
            '<s:namedview xmlns:s="http://sodipodi.sourceforge.net/DTD/sodipodi-0.dtd" a="SECRET"/>',
            "",
        ),
        ("<title>kept</title><desc>kept</desc>", "<title>kept</title><desc>kept</desc>"),
        ("<style><![CDATA[a>b{fill:red}]]></style>", "<style><![CDATA[a>b{fill:red}]]></style>"),
    ],
    ids=range(8),
)
def test_a_drawing_keeps_its_shapes_and_loses_the_rest(inner: str, rest: str) -> None:
    """HTML in a drawing, metadata, comments and private elements go; each other byte stays."""
    clean: bytes = remove_metadata(DRAWING.format(inner).encode())
    assert clean.decode() == DRAWING.format(rest)
    assert inspect(clean, "a.svg").media_type == "image/svg+xml"


def test_a_drawing_does_not_carry_its_source() -> None:
    """The attributes of an editor go: the source of draw.io, paths on the author's disk."""
    data = (
        '<svg xmlns="http://www.w3.org/2000/svg" xmlns:inkscape="http://www.inkscape.org/x" '
        'content="&lt;mxfile SECRET>" inkscape:export-filename=\'/disk/SECRET\' width="9">'
        '<g inkscape:label="SECRET" fill="red"/></svg>'
    )
    clean = remove_metadata(data.encode()).decode()
    assert "SECRET" not in clean
    assert 'width="9"' in clean
    assert '<g fill="red"/>' in clean


def test_a_picture_in_a_drawing_has_no_metadata_either() -> None:
    """An embedded photo is cleaned like a file."""
    broken = JPEG_URL.replace("/9j/", "/9j/\n", 1)
    for url in (JPEG_URL, broken):
        data = DRAWING.format(f'<image href="{url}"/>').encode()
        data_url = remove_metadata(data).decode().split("base64,")[1].split('"')[0]
        assert base64.b64decode(data_url) == remove_metadata(jpeg_with_everything())


@given(st.text(alphabet="<>!-[]CDATA\"' =/?foreignObjectmetadata&;#x10", max_size=80))
def test_any_drawing_is_refused_or_clean(inner: str) -> None:
    """Odd markup leads to a drawing or to one sentence; what is clean stays as it is."""
    try:
        clean: bytes = remove_metadata(DRAWING.format(inner.replace("{", "")).encode())
        inspect(clean, "a.svg")
    except ImageError:
        return
    assert remove_metadata(clean) == clean
    assert b"<foreignObject" not in clean or b"CDATA" in clean
