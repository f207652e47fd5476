"""Overwrite the metadata of an AVIF file in place, so that no offset in the file changes.

Pure: bytes in, bytes out. The structure is that of ISO/IEC 14496-12 (boxes) and 23008-12 (items).
EXIF and XMP are items, whose bytes lie in `mdat` or `idat`. An EXIF item becomes an empty TIFF, for
some decoders refuse zeros. Boxes that no decoder needs become `free` boxes of zeros.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

EMPTY_TIFF = b"\0\0\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"
"""An EXIF item without an entry: the offset of the TIFF header, and an empty directory."""

_BRANDS = frozenset({b"avif", b"avis"})
_HEIF_BRANDS = frozenset(
    {b"mif1", b"msf1", b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
)
_TOP_LEVEL = frozenset({b"ftyp", b"meta", b"mdat", b"moov"})
_CONTAINERS = frozenset({b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf", b"edts"})
_WITH_TIMES = frozenset({b"mvhd", b"tkhd", b"mdhd"})
_METADATA_BOXES = frozenset({b"udta", b"meta", b"uuid", b"free", b"skip"})
_METADATA_PROPERTIES = frozenset({b"udes", b"crtt", b"mdft", b"altt", b"uuid", b"free", b"skip"})
_IN_FILE, _IN_IDAT = 0, 1


class MalformedError(ValueError):
    """The file does not follow the format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Box:
    """A box: its type, where it starts, where its payload starts, and where it ends."""

    kind: bytes
    start: int
    payload: int
    end: int


def is_avif(data: bytes) -> bool:
    """Whether the file names AVIF among its brands."""
    return bool(_brands(data) & _BRANDS)


def is_heic(data: bytes) -> bool:
    """Whether the file is HEIC, the format of iPhone photos, and not AVIF."""
    brands = _brands(data)
    return bool(brands & _HEIF_BRANDS) and not brands & _BRANDS


def _brands(data: bytes) -> frozenset[bytes]:
    if data[4:8] != b"ftyp":
        return frozenset()
    (size,) = struct.unpack(">I", data[:4])
    brands = data[8:12] + data[16 : min(size, 1024)]
    return frozenset(brands[at : at + 4] for at in range(0, len(brands), 4))


def clear(data: bytes) -> bytes:
    """Return the file with its metadata overwritten; raises MalformedError."""
    out = bytearray(data)
    end = 0
    for box in _boxes(out, 0, len(out)):
        end = box.end
        if box.kind not in _TOP_LEVEL:
            _free(out, box)
        elif box.kind == b"meta":
            _clear_items(out, box)
        elif box.kind == b"moov":
            _clear_movie(out, box)
    return bytes(out[:end])


def _boxes(data: bytearray, position: int, end: int) -> Iterator[_Box]:
    """Yield the boxes of a range; what is too short for a box ends it."""
    while position + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, position)
        payload = position + 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, payload)
            payload += 8
        box_end = end if size == 0 else position + size
        if box_end > end or box_end < payload:
            return
        yield _Box(kind=bytes(kind), start=position, payload=payload, end=box_end)
        position = box_end


def _free(data: bytearray, box: _Box) -> None:
    """Turn a box into one of zeros that decoders pass over."""
    data[box.start + 4 : box.start + 8] = b"free"
    data[box.payload : box.end] = bytes(box.end - box.payload)


def _clear_movie(data: bytearray, box: _Box) -> None:
    """Clear the boxes of a sequence: user data, metadata of tracks, times of recording."""
    for inner in _boxes(data, box.payload, box.end):
        if inner.kind in _CONTAINERS:
            _clear_movie(data, inner)
        elif inner.kind in _METADATA_BOXES:
            _free(data, inner)
        elif inner.kind in _WITH_TIMES:
            width = 16 if data[inner.payload] == 1 else 8
            data[inner.payload + 4 : inner.payload + 4 + width] = bytes(width)


def _clear_items(data: bytearray, meta: _Box) -> None:
    """Overwrite each item of the file that is metadata."""
    boxes = {}
    for box in _boxes(data, meta.payload + 4, meta.end):
        boxes[box.kind] = box
        if box.kind in _METADATA_BOXES:
            _free(data, box)
        elif box.kind == b"iprp":
            _clear_properties(data, box)
    if b"iinf" not in boxes or b"iloc" not in boxes:
        return
    items = dict(_metadata_items(data, boxes[b"iinf"]))
    idat = boxes.get(b"idat")
    for item_id, start, end in _extents(data, boxes[b"iloc"], idat):
        if item_id in items:
            _overwrite(data, start, end, is_exif=items[item_id] == b"Exif")


def _clear_properties(data: bytearray, box: _Box) -> None:
    """Clear descriptions and times; the number of each property stays as it is."""
    for inner in _boxes(data, box.payload, box.end):
        if inner.kind == b"ipco":
            _clear_properties(data, inner)
        elif inner.kind in _METADATA_PROPERTIES:
            _free(data, inner)


def _overwrite(data: bytearray, start: int, end: int, *, is_exif: bool) -> None:
    if not 0 <= start <= end <= len(data):
        raise MalformedError
    text = EMPTY_TIFF if is_exif and end - start >= len(EMPTY_TIFF) else b""
    data[start:end] = text.ljust(end - start, b"\0")


def _metadata_items(data: bytearray, iinf: _Box) -> Iterator[tuple[int, bytes]]:
    """Yield the number and the type of each item that is metadata."""
    count_size = 2 if data[iinf.payload] == 0 else 4
    for box in _boxes(data, iinf.payload + 4 + count_size, iinf.end):
        version = data[box.payload]
        if box.kind != b"infe" or version < 2:  # noqa: PLR2004 - older ones have no type
            continue
        layout = ">HH4s" if version == 2 else ">IH4s"  # noqa: PLR2004
        item_id, _, kind = struct.unpack_from(layout, data, box.payload + 4)
        if kind in {b"Exif", b"mime", b"uri "}:
            yield item_id, kind


class _Fields:
    """Reads numbers of given sizes, one after the other."""

    def __init__(self, data: bytearray, position: int, end: int) -> None:
        self.data, self.position, self.end = data, position, end

    def number(self, size: int) -> int:
        """Return the next big-endian number of `size` bytes."""
        position, self.position = self.position, self.position + size
        if self.position > self.end:
            raise MalformedError
        return int.from_bytes(self.data[position : self.position], "big")


def _extents(data: bytearray, iloc: _Box, idat: _Box | None) -> Iterator[tuple[int, int, int]]:
    """Yield item number, start and end of every part of every item."""
    version = data[iloc.payload]
    fields = _Fields(data, iloc.payload + 4, iloc.end)
    sizes, more_sizes = fields.number(1), fields.number(1)
    offset_size, length_size, base_size = sizes >> 4, sizes & 15, more_sizes >> 4
    index_size = more_sizes & 15 if version in {1, 2} else 0
    wide = 4 if version == 2 else 2  # noqa: PLR2004
    for _ in range(fields.number(wide)):
        item_id = fields.number(wide)
        method = fields.number(2) & 15 if version in {1, 2} else _IN_FILE
        fields.number(2)
        base = fields.number(base_size)
        if method == _IN_IDAT and idat is not None:
            base += idat.payload
        for _ in range(fields.number(2)):
            fields.number(index_size)
            start = base + fields.number(offset_size)
            length = fields.number(length_size)
            if method in {_IN_FILE, _IN_IDAT}:
                # Without a length an item reaches to the end of its box: it can't be overwritten.
                yield item_id, start, start + length if length_size else -1
