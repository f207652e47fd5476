"""Decompress a body up to a maximum size, because a small body may expand to a very large one."""

from __future__ import annotations

import zlib

import brotli

MAX_DECODED_BYTES = 8 * 1024 * 1024
"""Maximum size of a decompressed body in bytes; the rest is dropped."""

_GZIP = 16 + zlib.MAX_WBITS
_STEP = 64 * 1024


class DecodeError(ValueError):
    """The body is not encoded as its Content-Encoding says."""


def decompress(body: bytes, coding: str, *, is_truncated: bool = False) -> bytes:
    """Decompress a body; of a truncated one, return as much as can be decompressed."""
    if coding in {"", "identity"} or not body:
        return body
    if coding in {"gzip", "x-gzip"}:
        return _decompress_gzip(body, is_truncated=is_truncated)
    if coding == "br":
        return _decompress_brotli(body, is_truncated=is_truncated)
    raise DecodeError(f"{coding!r} is a coding that was not requested.")


def _decompress_gzip(body: bytes, *, is_truncated: bool) -> bytes:
    unpacker = zlib.decompressobj(_GZIP)
    try:
        content = unpacker.decompress(body, MAX_DECODED_BYTES)
    except zlib.error as error:
        raise DecodeError("The body is not valid gzip.") from error
    if not (unpacker.eof or is_truncated or len(content) >= MAX_DECODED_BYTES):
        raise DecodeError("The gzip stream is incomplete.")
    return content


def _decompress_brotli(body: bytes, *, is_truncated: bool) -> bytes:
    unpacker = brotli.Decompressor()
    content = bytearray()
    try:
        for start in range(0, len(body), _STEP):
            content += unpacker.process(
                body[start : start + _STEP], output_buffer_limit=MAX_DECODED_BYTES
            )
            if len(content) >= MAX_DECODED_BYTES:
                return bytes(content[:MAX_DECODED_BYTES])
    except brotli.error as error:
        raise DecodeError("The body is not valid brotli.") from error
    if not (unpacker.is_finished() or is_truncated):
        raise DecodeError("The brotli stream is incomplete.")
    return bytes(content)
