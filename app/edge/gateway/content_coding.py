"""Compress stored pages with brotli and gzip, once for each page."""

from __future__ import annotations

import gzip
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import brotli

from ..http import codings
from ..http.validators import ETag
from .stored_response import BodyInfo, StoredResponse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..http.cache_control import Directives
    from ..http.fields import HeaderFields

_TEXTUAL: Final = frozenset(
    {
        "application/atom+xml",
        "application/feed+json",
        "application/geo+json",
        "application/javascript",
        "application/json",
        "application/ld+json",
        "application/manifest+json",
        "application/problem+json",
        "application/rss+xml",
        "application/xhtml+xml",
        "application/xml",
        "image/svg+xml",
    }
)
#: Digests of the bytes sent: they would be wrong for a compressed body.
_DIGESTS: Final = ("content-digest", "content-md5", "digest", "repr-digest")
#: Encoders for stored pages, the preferred one first: a good ratio, computed once.
_STORED_ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "br": lambda content: brotli.compress(content, quality=6),
    "gzip": lambda content: gzip.compress(content, compresslevel=7, mtime=0),
}
#: Encoders for the first reader, who waits: a fifth of the time for a third more bytes.
_FAST_ENCODERS: Final[dict[str, Callable[[bytes], bytes]]] = {
    "br": lambda content: brotli.compress(content, quality=1),
    "gzip": lambda content: gzip.compress(content, compresslevel=1, mtime=0),
}


def is_compressible(fields: HeaderFields, directives: Directives, *, status: int) -> bool:
    """Return whether the gateway may compress such a response and the body is likely to shrink."""
    if status in {204, 304} or "no-transform" in directives:
        return False
    if "content-encoding" in fields or any(name in fields for name in _DIGESTS):
        return False
    if "no-transform" in fields.combined("cache-control").lower():
        return False
    media_type = (fields.first("content-type") or "").partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type in _TEXTUAL


def compress(content: bytes) -> dict[str, bytes]:
    """Return the compressed bodies that are smaller than the content, the preferred one first."""
    encoded = {coding: pack(content) for coding, pack in _STORED_ENCODERS.items()}
    return {coding: body for coding, body in encoded.items() if len(body) < len(content)}


def compress_fast(
    stored: StoredResponse, content: bytes, accepted: str | None
) -> tuple[StoredResponse, dict[str, bytes]]:
    """Return the response for the first reader, compressed with a fast encoder, and its body.

    Its bytes differ from the stored ones, so it has another ETag.
    """
    coding = codings.choose_coding(accepted, _FAST_ENCODERS)
    pack = _FAST_ENCODERS.get(coding)
    body = content if pack is None else pack(content)
    if len(body) >= len(content):
        return stored, {"identity": content}
    (identity,) = stored.bodies
    quick = BodyInfo(
        coding=coding, length=len(body), etag=etag_for_coding(f"{coding}-quick", identity.etag)
    )
    return replace(stored, bodies=(quick,)), {coding: body}


def add_codings(stored: StoredResponse, lengths: Mapping[str, int]) -> StoredResponse:
    """Return the stored response with compressed bodies added to the uncompressed one."""
    identity = next(body for body in stored.bodies if body.coding == "identity")
    encoded_bodies = (
        BodyInfo(coding=coding, length=length, etag=etag_for_coding(coding, identity.etag))
        for coding, length in lengths.items()
    )
    return replace(stored, bodies=(*encoded_bodies, identity), needs_compression=False)


def etag_for_coding(coding: str, etag: str | None) -> str | None:
    """Return the ETag of the page in this coding: a compressed body has a tag of its own."""
    tag = ETag.parse(etag)
    return etag if coding == "identity" or tag is None else str(tag.for_coding(coding))
