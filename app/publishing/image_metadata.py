"""Remove the metadata of an image file without encoding its pixels again.

Pure: bytes in, bytes out. Each format keeps a closed list of segments; everything else goes: EXIF
with places and serial numbers, XMP, IPTC, comments, embedded previews, bytes after the image. What
stays is what a browser needs to show the same picture: pixels, animation, colour profile and, in
JPEG, the orientation.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from . import avif_metadata
from .svg import ImageError

ORIENTATION = 0x0112
"""The tag of EXIF that says how the camera was held; 1 is upright."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS = frozenset(
    {
        *(b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"bKGD", b"sBIT", b"pHYs"),
        *(b"cHRM", b"gAMA", b"iCCP", b"sRGB", b"cICP", b"mDCV", b"cLLI"),
        *(b"acTL", b"fcTL", b"fdAT"),
    }
)
_PNG_END = b"\0\0\0\0IEND\xaeB`\x82"
_WEBP_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP"})
_WEBP_FRAME_CHUNKS = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_WEBP_FRAME_HEADER = 16
_VP8X_METADATA_FLAGS = 0x08 | 0x04
"""The bits of VP8X that announce EXIF and XMP."""

_GIF_TRAILER = 0x3B
_GIF_LOOPS = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
_SOI, _EOI, _SOS, _TEM = 0xD8, 0xD9, 0xDA, 0x01
_RESTARTS = range(0xD0, 0xD8)
_FRAMES_AND_TABLES = frozenset({*range(0xC0, 0xD0), *range(0xDA, 0xE0)})
_APP0, _APP1, _APP2, _APP14 = 0xE0, 0xE1, 0xE2, 0xEE
_JFIF_SIZE, _ADOBE_SIZE = 14, 12


class _MalformedError(ValueError):
    """The file does not follow its format, so its metadata can not be located."""


def remove_metadata(data: bytes) -> bytes:
    """Return the image without metadata; data of another format is returned as it is.

    A PNG or WebP whose EXIF asks for a turn is turned, and encoded again without loss. Raises
    ImageError for a file whose structure is damaged.
    """
    for signature, remove in _FORMATS:
        if signature(data):
            try:
                return remove(data)
            except (_MalformedError, avif_metadata.MalformedError, struct.error, IndexError):
                message = "The image is damaged (its structure ends early); export it again."
                raise ImageError(message) from None
    return data


@dataclass(frozen=True, slots=True, kw_only=True)
class _Segment:
    """A segment of a JPEG: its marker, its payload, and where the next one begins."""

    marker: int
    payload: bytes
    end: int


def _clean_jpeg(data: bytes) -> bytes:
    """Keep frames, tables, scans, JFIF, the colour profile, Adobe's transform and the orientation.

    Structure: ITU-T T.81, annex B. Everything after the first end of image goes as well: a second
    image of a phone's multi-picture file, or a video.
    """
    out = [b"\xff\xd8"]
    orientation = 0
    position = 2
    while position < len(data):
        segment = _jpeg_segment(data, position)
        position = segment.end
        if segment.marker == _EOI:
            break
        if segment.marker == _APP1 and segment.payload.startswith(b"Exif\0\0"):
            orientation = orientation or _orientation(segment.payload)
        out.append(_filter_segment(segment))
        if segment.marker == _SOS:
            end = _end_of_scan(data, position)
            out.append(data[position:end])
            position = end
    out.append(b"\xff\xd9")
    exif = _jpeg_orientation(orientation)
    out.insert(2 if len(out) > 1 and out[1][:2] == b"\xff\xe0" else 1, exif)
    return b"".join(out)


def _jpeg_segment(data: bytes, position: int) -> _Segment:
    """Read the segment at `position`, past fill bytes and bytes that belong to no segment."""
    start = data.find(b"\xff", position)
    while 0 <= start < len(data) - 1 and data[start + 1] in {0x00, 0xFF}:
        start = data.find(b"\xff", start + 1)
    if start < 0 or start + 1 >= len(data):
        return _Segment(marker=_EOI, payload=b"", end=len(data))
    marker = data[start + 1]
    if marker in {_EOI, _SOI, _TEM} or marker in _RESTARTS:
        return _Segment(marker=marker, payload=b"", end=start + 2)
    (size,) = struct.unpack_from(">H", data, start + 2)
    end = start + 2 + size
    if size < 2 or end > len(data):  # noqa: PLR2004 - the size counts its own two bytes
        raise _MalformedError
    return _Segment(marker=marker, payload=data[start + 4 : end], end=end)


def _filter_segment(segment: _Segment) -> bytes:
    """Return the bytes of a segment that stays, or nothing."""
    payload = segment.payload
    if segment.marker == _APP0 and payload.startswith(b"JFIF\0"):
        payload = payload[: _JFIF_SIZE - 2] + b"\0\0"  # a JFIF segment may hold a preview
    elif segment.marker == _APP14 and payload.startswith(b"Adobe"):
        payload = payload[:_ADOBE_SIZE]
    elif segment.marker not in _FRAMES_AND_TABLES and not (
        segment.marker == _APP2 and payload.startswith(b"ICC_PROFILE\0")
    ):
        return b""
    return struct.pack(">BBH", 0xFF, segment.marker, len(payload) + 2) + payload


def _end_of_scan(data: bytes, position: int) -> int:
    """Return where the entropy-coded data ends: at a marker that is no restart."""
    while True:
        position = data.find(b"\xff", position)
        if position < 0 or position + 1 >= len(data):
            return len(data)
        if data[position + 1] != 0 and data[position + 1] not in _RESTARTS:
            return position
        position += 2


def _orientation(exif: bytes) -> int:
    """Return the orientation that an EXIF block asks for, 1 to 8."""
    block = Image.Exif()
    try:
        block.load(exif)
        value = block.get(ORIENTATION, 1)
    # Pillow raises many exceptions for damaged EXIF; such a block turns nothing in a browser.
    except Exception:  # noqa: BLE001
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1  # noqa: PLR2004


def _jpeg_orientation(value: int) -> bytes:
    """Return an EXIF segment with the orientation alone, or nothing for an upright image."""
    if value <= 1:
        return b""
    directory = struct.pack(">HHHIHHI", 1, ORIENTATION, 3, 1, value, 0, 0)
    payload = b"Exif\0\0MM\0\x2a" + struct.pack(">I", 8) + directory
    return struct.pack(">BBH", 0xFF, _APP1, len(payload) + 2) + payload


def _clean_png(data: bytes) -> bytes:
    """Keep the chunks that carry pixels, animation and colours (PNG, third edition, 11.3)."""
    out = [_PNG_SIGNATURE]
    orientation, is_animated = 1, False
    for kind, chunk in _png_chunks(data):
        if kind == b"eXIf":
            orientation = _orientation(b"Exif\0\0" + chunk[8:-4])
        is_animated = is_animated or kind == b"acTL"
        if kind in _PNG_CHUNKS:
            out.append(chunk)
    clean = b"".join(out)
    return clean if orientation == 1 or is_animated else _turn_pixels(clean, orientation)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the whole bytes of each chunk, to the end of the image."""
    position = len(_PNG_SIGNATURE)
    while position + 12 <= len(data):
        (size,) = struct.unpack_from(">I", data, position)
        end = position + 12 + size
        kind = data[position + 4 : position + 8]
        if kind == b"IEND" or end > len(data):
            break
        yield kind, data[position:end]
        position = end
    yield b"IEND", _PNG_END


def _clean_webp(data: bytes) -> bytes:
    """Keep the chunks that carry pixels, animation and the colour profile (RFC 9649, 2.7)."""
    (size,) = struct.unpack_from("<I", data, 4)
    out: list[bytes] = []
    orientation, is_animated = 1, False
    for kind, payload in _riff_chunks(data[12 : min(len(data), size + 8)]):
        is_animated = is_animated or kind == b"ANIM"
        if kind == b"EXIF":
            prefix = b"" if payload.startswith(b"Exif\0\0") else b"Exif\0\0"
            orientation = _orientation(prefix + payload)
        if kind in _WEBP_CHUNKS:
            out.append(_riff_chunk(kind, _clean_webp_payload(kind, payload)))
    body = b"WEBP" + b"".join(out)
    clean = b"RIFF" + struct.pack("<I", len(body)) + body
    return clean if orientation == 1 or is_animated else _turn_pixels(clean, orientation)


def _clean_webp_payload(kind: bytes, payload: bytes) -> bytes:
    if kind == b"VP8X":
        return bytes([payload[0] & ~_VP8X_METADATA_FLAGS]) + payload[1:]
    if kind == b"ANMF":
        frame = (
            _riff_chunk(name, part)
            for name, part in _riff_chunks(payload[_WEBP_FRAME_HEADER:])
            if name in _WEBP_FRAME_CHUNKS
        )
        return payload[:_WEBP_FRAME_HEADER] + b"".join(frame)
    return payload


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the type and the payload of each chunk."""
    position = 0
    while position + 8 <= len(data):
        (size,) = struct.unpack_from("<I", data, position + 4)
        end = position + 8 + size
        if end > len(data):
            raise _MalformedError
        yield data[position : position + 4], data[position + 8 : end]
        position = end + size % 2


def _riff_chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)


def _clean_gif(data: bytes) -> bytes:
    """Keep the frames with their timing, and how often they repeat (GIF89a, 17 to 27)."""
    position = 13 + _gif_table_size(data[10])
    out = [data[:position]]
    while position < len(data) and data[position] != _GIF_TRAILER:
        introducer, start = data[position], position
        if introducer == 0x2C:  # noqa: PLR2004 - an image
            position = _end_of_sub_blocks(data, start + 11 + _gif_table_size(data[start + 9]))
            out.append(data[start:position])
        elif introducer == 0x21:  # noqa: PLR2004 - an extension
            position = _end_of_sub_blocks(data, start + 2)
            out.append(_gif_extension(data[start:position]))
        else:  # decoders pass over bytes between blocks
            position += 1
    return b"".join((*out, bytes([_GIF_TRAILER])))


def _gif_table_size(flags: int) -> int:
    """Return the bytes of the colour table that the flags announce."""
    return 3 * 2 ** ((flags & 0x07) + 1) if flags & 0x80 else 0


def _end_of_sub_blocks(data: bytes, position: int) -> int:
    while data[position]:
        position += data[position] + 1
    return position + 1


def _gif_extension(block: bytes) -> bytes:
    """Return a graphic control as it is, the count of repetitions, or nothing."""
    if block[1] == 0xF9:  # noqa: PLR2004 - graphic control
        return block[:7] + b"\0"
    if block[1] == 0xFF and block[3:14] in _GIF_LOOPS and block[14:16] == b"\x03\x01":  # noqa: PLR2004
        return block[:18] + b"\0"
    return b""


def _turn_pixels(data: bytes, orientation: int) -> bytes:
    """Encode a still PNG or WebP again, turned as its EXIF asks, without loss."""
    with Image.open(BytesIO(data), formats=("PNG", "WEBP")) as image:
        form, profile = str(image.format), image.info.get("icc_profile")
        image.load()
        image.getexif()[ORIENTATION] = orientation
        upright = ImageOps.exif_transpose(image)
    out = BytesIO()
    options = {"lossless": True, "exact": True} if form == "WEBP" else {"optimize": False}
    upright.save(out, form, exif=b"", icc_profile=profile, **options)
    remove = _clean_webp if form == "WEBP" else _clean_png
    return remove(out.getvalue())


_FORMATS: tuple[tuple[Callable[[bytes], bool], Callable[[bytes], bytes]], ...] = (
    (lambda data: data.startswith(b"\xff\xd8\xff"), _clean_jpeg),
    (lambda data: data.startswith(_PNG_SIGNATURE), _clean_png),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _clean_webp),
    (lambda data: data[:6] in {b"GIF87a", b"GIF89a"}, _clean_gif),
    (avif_metadata.is_avif, avif_metadata.clear),
)
