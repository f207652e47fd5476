"""The tags of pages, for edges that are purged by tag."""

from __future__ import annotations

from collections.abc import Iterable

from .base import PurgeError, PurgeTarget

UNUSED_TAG = "edge-check"
"""A tag that no page carries; to purge it tells whether we may."""


def unique_tags(edge: str, targets: Iterable[PurgeTarget]) -> tuple[str, ...]:
    """The tag of each page, each once; a page without one can't be purged there."""
    tags: dict[str, None] = {}
    for target in targets:
        if not target.tag:
            raise PurgeError(
                f"{edge}: {target.url[:200]} has no tag, and that is what pages are purged by",
                retryable=False,
            )
        tags[target.tag] = None
    return tuple(tags)
