"""The tags of pages, for edges that are purged by tag."""

from __future__ import annotations

from collections.abc import Iterable

from .base import PurgeError, PurgeTarget

UNUSED_TAG = "edge-check"
"""A tag that no page has; purging it shows whether the credentials are valid."""


def unique_tags(edge: str, targets: Iterable[PurgeTarget]) -> tuple[str, ...]:
    """Return the distinct tags of the pages; raises PurgeError for a page without a tag."""
    tags: dict[str, None] = {}
    for target in targets:
        if not target.tag:
            raise PurgeError(
                f"{edge}: {target.url[:200]} has no tag, but this edge is purged by tag",
                retryable=False,
            )
        tags[target.tag] = None
    return tuple(tags)
