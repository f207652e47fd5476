"""The version of a response: what tells it from the other responses of its URL."""

from __future__ import annotations

from dataclasses import dataclass

REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})
"""The statuses of redirects (RFC 9110 §15.4) and of choices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseVersion:
    """The variant and the ETag of a response.

    `failed` is true for an unsuccessful status, `redirects` for a redirect.
    """

    variant: str
    etag: str
    failed: bool = False
    redirects: bool = False
