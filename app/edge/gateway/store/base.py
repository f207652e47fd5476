"""The interface of a store for responses, and the rules that every implementation follows.

The token rule prevents a page that was fetched before a purge from being stored after it:
`purge_token()` is read before the origin is called (or a collapsed fetch is joined) and passed to
`save` or `freshen`, which reject it if the key was purged, or purge counts were dropped, later.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from ..stored_response import BodyInfo, Headers, StoredFormatError, StoredResponse, decode, encode

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "BodyInfo",
    "Headers",
    "SaveResult",
    "Store",
    "StoreError",
    "StoredFormatError",
    "StoredResponse",
    "decode",
    "encode",
]

#: The default maximum number of variants per key; the oldest is evicted.
VARIANTS = 64


class StoreError(Exception):
    """A purge failed; the store serves nothing in this process until it succeeds.

    Purges are retried: the cause is a full or read-only disk, which an operator can fix.
    """

    retryable = True


class SaveResult(Enum):
    """The result of a save; each value is a reason for logs and for Cache-Status."""

    SAVED = "saved"
    PURGED_SINCE_FETCH = "refused-purged-meanwhile"
    TOO_LARGE = "refused-too-large"
    FULL = "refused-full"
    #: `freshen` and `add_codings` only: the response was evicted or replaced, or is compressed.
    NOT_FOUND = "refused-gone"
    FAILED = "failed-io"


@runtime_checkable
class Store(Protocol):
    """Stores responses for all threads (and, if it is shared, all processes).

    A key is any non-empty bytes of any length. No method raises because the disk is full, the
    folder is not writable or the content is foreign: `load` returns nothing, and `save` returns
    `SaveResult.FAILED`. Only a purge raises, with `StoreError`, if other processes might still
    serve what it could not delete. After a purge, nothing that was stored before it is returned.
    """

    def purge_token(self) -> int:
        """Return the purge token for fetches that begin now."""

    def load(self, key: bytes) -> tuple[StoredResponse, ...]:
        """Return all variants of a key, in any order; empty if nothing is stored."""

    def read_body(self, key: bytes, stored: StoredResponse, coding: str) -> bytes | None:
        """Return a body of this stored response; None, a miss, if it was evicted."""

    def save(
        self, key: bytes, stored: StoredResponse, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Store a response and its bodies by coding; replace the variant with the same `vary`."""

    def freshen(self, key: bytes, stored: StoredResponse, *, token: int) -> SaveResult:
        """Replace the head of the variant with this `id`; its bodies do not change."""

    def add_codings(
        self, key: bytes, name: str, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Add compressed bodies to the response with this `id`, and clear `needs_compression`.

        If it would be too large with them, none are added. `token` was read before its content.
        """

    def purge(self, key: bytes) -> int:
        """Delete all variants and reject older tokens atomically; return their number."""

    def purge_all(self) -> int:
        """Delete everything and reject all older tokens atomically; return the number."""

    def close(self) -> None:
        """Release files and memory; do not use the store afterwards."""
