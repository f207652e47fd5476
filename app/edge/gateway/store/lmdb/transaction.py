"""Entries and bodies in one write transaction, and eviction.

Pages are evicted in the order in which they were saved, but a page that was requested since its
last turn moves to the end of the queue instead (CLOCK). This is close to LRU, and a HIT writes
nothing.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from ...content_coding import add_codings
from . import refill_queue
from .counters import StoreCounters
from .entry import BodyRef, CacheEntry, Variant, key_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...stored_response import StoredResponse
    from .environment import Environment, Transaction

_SERIAL = struct.Struct(">Q")
#: Above this share of the limit pages are evicted: the rest is for copy-on-write and for gaps.
_MAX_FILL = 0.85
#: The maximum number of second chances in one transaction, in all and per byte of the store: each
#: one copies a page of LMDB, and a small store has few free pages for copies.
_SECOND_CHANCES = 64
_BYTES_A_CHANCE = 128 * 1024


def serial_key(serial: int) -> bytes:
    """Return the LMDB key of a body, or of a position in the eviction order."""
    return _SERIAL.pack(serial)


class WriteTransaction:
    """The operations on entries in one transaction; `write_counters` saves `counters`."""

    __slots__ = ("_environment", "_transaction", "counters")

    def __init__(self, environment: Environment, transaction: Transaction) -> None:
        self._environment = environment
        self._transaction = transaction
        self.counters = StoreCounters.load(environment, transaction)

    def write_counters(self) -> None:
        """Write the counters at the end of the transaction."""
        self.counters.write(self._environment, self._transaction)

    def rejects_token(self, key: bytes, token: int) -> bool:
        """Return whether a response that was fetched with this token must not be stored."""
        return self.counters.rejects_token(
            self._environment, self._transaction, key_digest(key), token
        )

    def pop_entry(self, key: bytes) -> CacheEntry | None:
        """Remove the entry of a key and return it; its bodies are not deleted yet."""
        name = key_digest(key)
        data = self._transaction.pop(name, db=self._environment.pages)
        if data is None:
            return None
        entry = self._environment.decode_entry(key, data)
        if entry is None:
            # The entry is damaged, which does not happen in a valid store; its bodies remain.
            return None
        self._transaction.delete(
            serial_key(entry.eviction_serial), db=self._environment.eviction_order
        )
        self.counters.variants -= len(entry.variants)
        return entry

    def put_entry(self, key: bytes, variants: Iterable[Variant]) -> None:
        """Store the variants under the key, at the end of the eviction order."""
        entry = CacheEntry(
            key=key, eviction_serial=self.counters.next_serial(), variants=tuple(variants)
        )
        name = key_digest(key)
        self._transaction.put(name, bytes(entry), db=self._environment.pages)
        self._transaction.put(
            serial_key(entry.eviction_serial),
            name,
            db=self._environment.eviction_order,
            append=True,
        )
        self.counters.variants += len(entry.variants)

    def put_variant(self, stored: StoredResponse, bodies: Mapping[str, bytes]) -> Variant:
        """Store bodies, and return a variant that refers to them."""
        return Variant.of(stored, self._put_bodies(bodies))

    def replace_codings(self, variant: Variant, bodies: Mapping[str, bytes]) -> Variant:
        """Replace the compressed bodies of a variant; return the new variant."""
        identity = variant.body_refs["identity"]
        self._delete_bodies_of(ref for ref in variant.body_refs.values() if ref is not identity)
        stored = add_codings(variant.stored, {coding: len(body) for coding, body in bodies.items()})
        return Variant.of(stored, {**self._put_bodies(bodies), "identity": identity})

    def delete_bodies(self, variants: Iterable[Variant]) -> None:
        """Delete the bodies of variants that were removed from their entries."""
        for variant in variants:
            self._delete_bodies_of(variant.body_refs.values())

    def _put_bodies(self, bodies: Mapping[str, bytes]) -> dict[str, BodyRef]:
        body_refs = {}
        for coding, body in bodies.items():
            ref = BodyRef.of(body, serial=self.counters.next_serial())
            name = serial_key(ref.serial)
            self._transaction.put(name, body, db=self._environment.bodies, append=True)
            body_refs[coding] = ref
        return body_refs

    def _delete_bodies_of(self, body_refs: Iterable[BodyRef]) -> None:
        for ref in body_refs:
            self._transaction.delete(serial_key(ref.serial), db=self._environment.bodies)

    def purge(self, key: bytes, *, refill: bool = False) -> int:
        """Delete a key and reject older tokens; return the number of deleted variants.

        With `refill` the page is queued for a refill if it was requested often enough.
        """
        entry = self.pop_entry(key)
        self.counters.record_purge(self._environment, self._transaction, key_digest(key))
        if entry is None:
            return 0
        if refill:
            refill_queue.enqueue_if_requested(self._environment, self._transaction, entry)
        self.delete_bodies(entry.variants)
        return len(entry.variants)

    def purge_all(self, *, refill: bool = False) -> int:
        """Delete all keys and reject all older tokens; return the number of variants."""
        if refill:
            refill_queue.enqueue_most_requested(self._environment, self._transaction)
        variant_count, self.counters.variants = self.counters.variants, 0
        for table in (
            self._environment.pages,
            self._environment.bodies,
            self._environment.eviction_order,
        ):
            self._transaction.drop(table, delete=False)
        self.counters.purge_count += 1
        self.counters.record_purge_all(self._environment, self._transaction)
        return variant_count

    def make_room(self, size: int) -> bool:
        """Evict pages until `size` more bytes fit; return False if that is impossible."""
        target = int(self._environment.limit * _MAX_FILL) - size
        chances = min(_SECOND_CHANCES, self._environment.limit // _BYTES_A_CHANCE)
        while self._environment.used_bytes(self._transaction) > target:
            first = next(iter(self._transaction.cursor(db=self._environment.eviction_order)), None)
            if first is None:
                return False
            chances -= self._evict_one(*first, spare=chances > 0)
        return True

    def _evict_one(self, serial: bytes, name: bytes, *, spare: bool) -> bool:
        """Evict the first page of the eviction order; return True if it got a second chance."""
        pages, visits = self._environment.pages, self._environment.access_counters
        self._transaction.delete(serial, db=self._environment.eviction_order)
        data = self._transaction.get(name, db=pages)
        if data is not None and spare and visits.clear_reference_bit(visits.slot(name)):
            new_serial = self.counters.next_serial()
            self._transaction.put(name, CacheEntry.with_serial(data, serial=new_serial), db=pages)
            self._transaction.put(
                serial_key(new_serial), name, db=self._environment.eviction_order, append=True
            )
            return True
        entry = None if data is None else CacheEntry.parse(data)
        if entry is not None and serial_key(entry.eviction_serial) == serial:
            self._transaction.delete(name, db=pages)
            self.delete_bodies(entry.variants)
            self.counters.variants -= len(entry.variants)
            self.counters.evicted += 1
        return False
