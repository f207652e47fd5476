"""A store for all processes of one machine, in a folder, bounded in bytes.

Never serving purged responses is more important than hits. A response is served only if LMDB holds
it at that moment. If a purge cannot be written, the whole store is discarded; if that fails too,
the purge raises and the store serves nothing until it succeeds.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import lmdb

from ..base import VARIANTS, SaveResult, StoreError
from . import InvalidStoreError, metadata, refill_queue
from .counters import read_purge_token
from .entry import Variant, key_digest
from .environment import EnvironmentClosedError
from .environment_manager import open_manager, release_manager
from .save import SaveRefusedError, apply_change, free_contiguous_pages
from .stats import StoreStats
from .transaction import WriteTransaction, serial_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ...stored_response import StoredResponse
    from .entry import BodyRef, CacheEntry
    from .environment import Environment

ValueT = TypeVar("ValueT")
_MEBI = 1024 * 1024
_MIN_BYTES = _MEBI // 2
_MAX_KEY_LENGTH = 16 * 1024
_ROOM_TRIES = 3
_PURGE_TRIES = 5
#: Errors of a damaged store or environment: the store is discarded.
_DAMAGED = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
    lmdb.BadDbiError,
    InvalidStoreError,
)
_FAILURES = (lmdb.Error, EnvironmentClosedError, InvalidStoreError)


class LmdbStore:
    """Stores at most `max_bytes` in all and `max_entry` bytes of bodies in one response.

    The folder is checked again after `recheck`. A purge takes effect at once, but a folder that is
    deleted or truncated by hand is noticed up to `recheck` later. With `refill` the store queues
    purged pages that readers requested often.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int = 256 * _MEBI,
        max_entry: int = 8 * _MEBI,
        max_variants: int = VARIANTS,
        recheck: timedelta = timedelta(0),
        refill: bool = False,
    ) -> None:
        if max_bytes < _MIN_BYTES:
            raise ValueError(f"A store needs {_MIN_BYTES} bytes or more, not {max_bytes}.")
        # The folder is opened on first use: after the fork, in the worker.
        self._manager = open_manager(path, limit=max_bytes, recheck=recheck.total_seconds())
        self._max_entry = min(max_entry, max_bytes // 2)
        self._max_variants = max_variants
        self._refill = refill

    def purge_token(self) -> int:
        """Return the purge token for fetches that begin now."""
        return self._read_or_default(read_purge_token, default=0)

    def load(self, key: bytes) -> tuple[StoredResponse, ...]:
        """Return all variants of a key; empty if nothing is stored."""
        environment = self._manager.acquire()
        if environment is None:
            return ()
        name = key_digest(key)
        entry = self._load_entry(environment, key, name)
        if entry is None:
            return ()
        environment.access_counters.record_access(environment.access_counters.slot(name))
        return entry.heads

    def peek(self, key: bytes) -> tuple[StoredResponse, ...]:
        """Return the same as `load` without counting an access."""
        environment = self._manager.acquire()
        entry = None if environment is None else self._load_entry(environment, key, key_digest(key))
        return () if entry is None else entry.heads

    def read_body(self, key: bytes, stored: StoredResponse, coding: str) -> bytes | None:
        """Return a body of this stored response; None if it was evicted in the meantime."""
        environment = self._manager.acquire_cached()
        if environment is None:
            return None
        body_ref = _find_body_ref(environment.last_decoded(key), stored, coding)
        if body_ref is None:
            body_ref = _find_body_ref(
                self._load_entry(environment, key, key_digest(key)), stored, coding
            )
        return None if body_ref is None else self._body(environment, body_ref)

    def save(
        self, key: bytes, stored: StoredResponse, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Store a response and its bodies; replace the variant with the same `vary`."""
        size = sum(map(len, bodies.values()))
        if size > self._max_entry or len(key) > _MAX_KEY_LENGTH:
            return SaveResult.TOO_LARGE

        def add(transaction: WriteTransaction) -> SaveResult:
            old = transaction.pop_entry(key)
            variants = [] if old is None else list(old.variants)
            same = [variant for variant in variants if variant.stored.vary == stored.vary]
            others = [variant for variant in variants if variant.stored.vary != stored.vary]
            surplus = others[: max(0, len(others) + 1 - self._max_variants)]
            transaction.delete_bodies(same + surplus)
            transaction.put_entry(
                key, [*others[len(surplus) :], transaction.put_variant(stored, bodies)]
            )
            return SaveResult.SAVED

        return self._write(key, add, token=token, size=size)

    def freshen(self, key: bytes, stored: StoredResponse, *, token: int) -> SaveResult:
        """Replace the head of the variant with this `id`; its bodies do not change."""

        def change(transaction: WriteTransaction) -> SaveResult:
            entry = transaction.pop_entry(key)
            old = None if entry is None else entry.by_id.get(stored.id)
            if entry is None or old is None:
                return SaveResult.NOT_FOUND
            others = [variant for variant in entry.variants if variant is not old]
            same = [variant for variant in others if variant.stored.vary == stored.vary]
            transaction.delete_bodies(same)
            fresh = Variant.of(stored, old.body_refs)
            transaction.put_entry(
                key, [*(variant for variant in others if variant not in same), fresh]
            )
            return SaveResult.SAVED

        return self._write(key, change, token=token, size=0)

    def add_codings(
        self, key: bytes, name: str, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Add compressed bodies to the response with this `id`, and clear `needs_compression`."""
        size = sum(map(len, bodies.values()))

        def add(transaction: WriteTransaction) -> SaveResult:
            entry = transaction.pop_entry(key)
            old = None if entry is None else entry.by_id.get(name)
            if entry is None or old is None or not old.stored.needs_compression:
                return SaveResult.NOT_FOUND
            fits = size + old.body_refs["identity"].length <= self._max_entry
            fresh = transaction.replace_codings(old, bodies if fits else {})
            transaction.put_entry(
                key, [fresh if variant is old else variant for variant in entry.variants]
            )
            return SaveResult.SAVED

        return self._write(key, add, token=token, size=size)

    def purge(self, key: bytes) -> int:
        """Delete all variants and reject older tokens; raise StoreError if that fails."""
        return self._purge(
            lambda write_transaction: write_transaction.purge(key, refill=self._refill)
        )

    def purge_all(self) -> int:
        """Delete everything and reject all older tokens; raise StoreError if that fails."""
        return self._purge(
            lambda write_transaction: write_transaction.purge_all(refill=self._refill)
        )

    def close(self) -> None:
        """Release files and memory; do not use the store afterwards."""
        release_manager(self._manager)

    def stats(self) -> StoreStats | None:
        """Return the statistics of the store; None while it can't be read."""
        return self._read_or_default(StoreStats.of, default=None)

    def get_metadata(self, name: bytes) -> bytes | None:
        """Return the value under a name in this incarnation of the store."""
        return self._read_or_default(partial(metadata.get_value, name=name), default=None)

    def set_metadata(self, name: bytes, value: bytes) -> bool:
        """Store a small value until the store is discarded; return False if that failed."""
        metadata.check_size(name, value)
        return self._read_or_default(
            partial(metadata.set_value, name=name, value=value), default=False
        )

    def enlist(self, name: bytes, line: bytes, *, full: bytes) -> bool:
        """Add a line to a value, or `full` if there is no room; return False if that failed."""
        metadata.check_size(name, line)
        listed = partial(metadata.enlist, name=name, line=line, full=full)
        return self._read_or_default(listed, default=False)

    def most_requested(self, count: int) -> list[tuple[bytes, int]]:
        """Return the most requested stored keys, with their approximate access counts."""
        return self._read_or_default(partial(refill_queue.most_visited, count=count), default=[])

    def pop_refill_key(self) -> bytes | None:
        """Remove and return the most requested key in the refill queue; None if it is empty.

        If the caller does not refill the page, it is fetched for its next reader.
        """
        return self._read_or_default(refill_queue.pop, default=None)

    def _read_or_default(self, read: Callable[[Environment], ValueT], *, default: ValueT) -> ValueT:
        """Return the result of `read`, or the default if the store can't be read."""
        environment = self._manager.acquire()
        if environment is None:
            return default
        try:
            return read(environment)
        except _FAILURES as error:
            self._discard_if_damaged(error)
            return default

    def _load_entry(self, environment: Environment, key: bytes, name: bytes) -> CacheEntry | None:
        try:
            data = environment.get(environment.pages, name)
        except _FAILURES as error:
            self._discard_if_damaged(error)
            return None
        return None if data is None else environment.decode_entry(key, data)

    def _body(self, environment: Environment, body_ref: BodyRef) -> bytes | None:
        name, hot = serial_key(body_ref.serial), environment.body_cache.get(body_ref.serial)
        try:
            if hot is not None:
                return hot if environment.has(environment.bodies, name) else None
            body = environment.get(environment.bodies, name)
        except _FAILURES as error:
            self._discard_if_damaged(error)
            return None
        if body is None or not environment.verify_body(body_ref, body):
            return None
        environment.body_cache.add(body_ref.serial, body)
        return body

    def _write(
        self, key: bytes, change: Callable[[WriteTransaction], SaveResult], *, token: int, size: int
    ) -> SaveResult:
        for attempt in range(_ROOM_TRIES):
            environment = self._manager.acquire()
            if environment is None:
                return SaveResult.FAILED
            try:
                if attempt and not free_contiguous_pages(environment, share=attempt / 8):
                    self._manager.discard(
                        "no page is free, even for a transaction that would free others"
                    )
                    return SaveResult.FULL
                return apply_change(environment, key, change, token=token, size=size)
            except lmdb.MapFullError:
                continue
            except SaveRefusedError as refused:
                return refused.saved
            except _FAILURES as error:
                self._discard_if_damaged(error)
                return SaveResult.FAILED
        return SaveResult.FULL

    def _purge(self, change: Callable[[WriteTransaction], int]) -> int:
        purged_count = 0
        for _ in range(_PURGE_TRIES):
            environment = self._manager.acquire()
            if environment is None:
                break
            try:
                with environment.write_transaction() as transaction:
                    write_transaction = WriteTransaction(environment, transaction)
                    purged_count += change(write_transaction)
                    write_transaction.write_counters()
            except EnvironmentClosedError:
                continue
            except lmdb.MapFullError:
                environment.release_readers()
                continue
            except (lmdb.Error, InvalidStoreError):
                break
            # If the store was replaced in the meantime, the purge was written to the old one.
            if environment.is_current():
                return purged_count
        if not self._manager.discard("a purge could not be written"):
            raise StoreError("A purge could not be written, and the store could not be discarded.")
        return purged_count

    def _discard_if_damaged(self, error: Exception) -> None:
        if isinstance(error, _DAMAGED):
            self._manager.discard(str(error))


def _find_body_ref(entry: CacheEntry | None, stored: StoredResponse, coding: str) -> BodyRef | None:
    variant = None if entry is None else entry.by_id.get(stored.id)
    return None if variant is None else variant.body_refs.get(coding)
