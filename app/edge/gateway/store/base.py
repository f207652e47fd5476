"""Store: where responses are kept, and what every implementation promises.

The token rule keeps a page fetched before a purge from being stored after it: `token()` is read
before the origin is asked (or a collapsed fetch is joined) and handed to `save` or `freshen`, which
refuse when the key was purged, or purges were forgotten, at a later count.
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

#: How many variants of one key are kept unless the store is told otherwise; the oldest leaves.
VARIANTS = 64


class StoreError(Exception):
    """A purge could not be carried out; the store serves nothing here until it has been.

    Whoever purges tries again: the cause is a disk or a folder, which someone will mend.
    """

    retryable = True


class SaveResult(Enum):
    """How a save ended; each value is a reason fit for a log and for Cache-Status."""

    SAVED = "saved"
    PURGED_SINCE_FETCH = "refused-purged-meanwhile"
    TOO_LARGE = "refused-too-large"
    FULL = "refused-full"
    #: `freshen` and `pack` only: the response was evicted or replaced, or is packed.
    NOT_FOUND = "refused-gone"
    FAILED = "failed-io"


@runtime_checkable
class Store(Protocol):
    """Keeps responses for all threads (and, if it is shared, all processes) at once.

    A key is any non-empty bytes of any length. No method raises because the disk is full, the
    folder unwritable or the content foreign: a reader then gets a miss, a writer `Saved.FAILED`.
    Only a purge raises, `StoreError`, where others might go on serving what it could not delete.
    Nothing that was loaded before a purge is returned after it.
    """

    def purge_token(self) -> int:
        """Return the purge counter, for the saves of what is fetched from now on."""

    def load(self, key: bytes) -> tuple[StoredResponse, ...]:
        """Return all variants of a key, in any order; none when nothing is there."""

    def read_body(self, key: bytes, stored: StoredResponse, coding: str) -> bytes | None:
        """Return a body of this very response; None when it was evicted meanwhile: a miss."""

    def save(
        self, key: bytes, stored: StoredResponse, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Keep a response and its bodies by coding; replaces the variant with the same `vary`."""

    def freshen(self, key: bytes, stored: StoredResponse, *, token: int) -> SaveResult:
        """Replace the head of the variant with this `id`; its bodies stay as they are."""

    def add_codings(
        self, key: bytes, name: str, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Add codings to the unpacked response with this `id`; it counts as packed from then on.

        Too large with them, it stays as it is. `token` was read before its content was.
        """

    def purge(self, key: bytes) -> int:
        """Delete all variants and refuse older tokens, in one step; return how many there were."""

    def purge_all(self) -> int:
        """Delete everything and refuse all older tokens, in one step; return how many."""

    def close(self) -> None:
        """Give back files and memory; the store is not used afterwards."""
