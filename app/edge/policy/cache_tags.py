"""Cache tags: opaque names by which an edge purges a page."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING

from .policy import PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .cdn_headers import Dialect, FieldLines

# Two edges ignore case and others reject a colon: these characters are distinct at all edges.
_TAG = re.compile(r"[a-z0-9_-]{1,64}")


def page_tag(site: str, url: str, *, key: bytes) -> str:
    """Return the one tag of a page: a keyed hash of site and canonical URL.

    It stays the same after a restore, and can't be guessed without the key (at most 64 bytes).
    """
    hasher = hashlib.blake2b(digest_size=12, key=key, person=b"page-tag")
    for part in (site, url):
        encoded = part.encode()
        hasher.update(len(encoded).to_bytes(8, "big") + encoded)
    return f"p-{hasher.hexdigest()}"


def format_tags(tags: Iterable[str], dialects: Iterable[Dialect]) -> FieldLines:
    """Format tags as header lines for these edges; raises PolicyError for an invalid tag."""
    listed = tuple(dict.fromkeys(tags))
    for tag in listed:
        if not _TAG.fullmatch(tag):
            raise PolicyError(
                f"{tag!r} is not a valid cache tag: use 1 to 64 of a-z, 0-9, - and _."
            )
    lines = {d.tags: d.separator.join(listed) for d in dialects if d.tags is not None and listed}
    return tuple(sorted(lines.items()))
