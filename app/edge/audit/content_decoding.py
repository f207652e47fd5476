"""Unpacking a body, bounded: what is packed may be far larger than what was sent."""

from __future__ import annotations

import zlib

import brotli

LARGEST = 8 * 1024 * 1024
"""Bytes that a body may have once it is unpacked; more is cut off."""

_GZIP = 16 + zlib.MAX_WBITS
_STEP = 64 * 1024


class DecodeError(ValueError):
    """The body is not what its Content-Encoding says."""


def decompress(body: bytes, coding: str, *, cut: bool = False) -> bytes:
    """The content of a body in this coding; a `cut` one is unpacked as far as it goes."""
    if coding in {"", "identity"} or not body:
        return body
    if coding in {"gzip", "x-gzip"}:
        return _gunzipped(body, cut=cut)
    if coding == "br":
        return _unbrotlied(body, cut=cut)
    raise DecodeError(f"{coding!r} is a coding that nobody asked for.")


def _gunzipped(body: bytes, *, cut: bool) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        content = unpacker.decompress(body, LARGEST)
    except zlib.error as error:
        raise DecodeError("It is no gzip.") from error
    if not (unpacker.eof or cut or len(content) >= LARGEST):
        raise DecodeError("The gzip ends too early.")
    return content


def _unbrotlied(body: bytes, *, cut: bool) -> bytes:
    unpacker = brotli.Decompressor()
    content = bytearray()
    try:
        for start in range(0, len(body), _STEP):
            content += unpacker.process(body[start : start + _STEP], output_buffer_limit=LARGEST)
            if len(content) >= LARGEST:
                return bytes(content[:LARGEST])
    except brotli.error as error:
        raise DecodeError("It is no brotli.") from error
    if not (unpacker.is_finished() or cut):
        raise DecodeError("The brotli ends too early.")
    return bytes(content)
