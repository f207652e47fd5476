"""Packing: brotli and gzip bodies, made once when a page is stored."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Final

import brotli

from ..http.validators import ETag
from .stored import Body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..http.cache_control import Directives
    from ..http.fields import Fields

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
#: A digest of the bytes sent would be wrong for other bytes.
_DIGESTS: Final = ("content-digest", "content-md5", "digest", "repr-digest")
#: Good ratio at a price of milliseconds: it is paid once for each page.
_BROTLI_QUALITY: Final = 6
_GZIP_LEVEL: Final = 7


def worthwhile(fields: Fields, directives: Directives, *, status: int) -> bool:
    """Tell whether a body of this kind may be coded by us and is likely to shrink."""
    if status in {204, 304} or "no-transform" in directives:
        return False
    if "content-encoding" in fields or any(name in fields for name in _DIGESTS):
        return False
    if "no-transform" in fields.combined("cache-control").lower():
        return False
    media_type = (fields.first("content-type") or "").partition(";")[0].strip().lower()
    return media_type.startswith("text/") or media_type in _TEXTUAL


def packed(content: bytes) -> dict[str, bytes]:
    """Return the codings that make it smaller, the preferred first, and the content itself."""
    made = {
        "br": brotli.compress(content, quality=_BROTLI_QUALITY),
        "gzip": gzip.compress(content, compresslevel=_GZIP_LEVEL, mtime=0),
    }
    return {
        **{coding: body for coding, body in made.items() if len(body) < len(content)},
        "identity": content,
    }


def tagged(coding: str, etag: str | None) -> str | None:
    """Return the ETag of a page in this coding; one of our making has a tag of its own."""
    tag = ETag.parse(etag)
    return etag if coding == "identity" or tag is None else str(tag.coded(coding))


def described(contents: Mapping[str, bytes], etag: str | None) -> tuple[Body, ...]:
    """Return what is known of each body."""
    return tuple(
        Body(coding=coding, length=len(content), etag=tagged(coding, etag))
        for coding, content in contents.items()
    )
