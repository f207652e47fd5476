"""Shelf: records and bodies within one write transaction, and who leaves when room is needed.

Pages leave in the order in which they were saved, but one that was visited since its last turn goes
to the end of the queue instead (CLOCK): close to least-recently-used, and a HIT writes nothing.
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
#: Above this share of the limit pages leave: the rest is for copies on write and for gaps.
_MAX_FILL = 0.85
_SECOND_CHANCES = 64


def serial_key(serial: int) -> bytes:
    """Return the name of a body, or of a turn, in its table."""
    return _SERIAL.pack(serial)


class WriteTransaction:
    """What a write transaction does to the pages; `ledger` is written when it `settle`s."""

    __slots__ = ("_environment", "_transaction", "ledger")

    def __init__(self, environment: Environment, transaction: Transaction) -> None:
        self._environment = environment
        self._transaction = transaction
        self.ledger = StoreCounters.load(environment, transaction)

    def write_counters(self) -> None:
        """Write the numbers down, at the end of the transaction."""
        self.ledger.write(self._environment, self._transaction)

    def rejects_token(self, key: bytes, token: int) -> bool:
        """Tell whether what was fetched under this token may not be kept."""
        return self.ledger.rejects_token(
            self._environment, self._transaction, key_digest(key), token
        )

    def pop_entry(self, key: bytes) -> CacheEntry | None:
        """Take the record of a key out of its turn; its bodies stay until they are removed."""
        name = key_digest(key)
        data = self._transaction.pop(name, db=self._environment.pages)
        if data is None:
            return None
        record = self._environment.decode_entry(key, data)
        if record is None:
            # Torn, which a sound store never is: its bodies stay behind, unreachable.
            return None
        self._transaction.delete(
            serial_key(record.eviction_serial), db=self._environment.eviction_order
        )
        self.ledger.variants -= len(record.variants)
        return record

    def put_entry(self, key: bytes, variants: Iterable[Variant]) -> None:
        """Put the variants below the key, at the end of the queue."""
        record = CacheEntry(
            key=key, eviction_serial=self.ledger.next_serial(), variants=tuple(variants)
        )
        name = key_digest(key)
        self._transaction.put(name, bytes(record), db=self._environment.pages)
        self._transaction.put(
            serial_key(record.eviction_serial),
            name,
            db=self._environment.eviction_order,
            append=True,
        )
        self.ledger.variants += len(record.variants)

    def put_variant(self, stored: StoredResponse, bodies: Mapping[str, bytes]) -> Variant:
        """Put bodies, and return the variant that names them."""
        return Variant.of(stored, self._put_bodies(bodies))

    def replace_codings(self, variant: Variant, bodies: Mapping[str, bytes]) -> Variant:
        """Put codings in place of those that a variant has; return what it is then."""
        identity = variant.places["identity"]
        self._delete(place for place in variant.places.values() if place is not identity)
        stored = add_codings(variant.stored, {coding: len(body) for coding, body in bodies.items()})
        return Variant.of(stored, {**self._put_bodies(bodies), "identity": identity})

    def delete_bodies(self, variants: Iterable[Variant]) -> None:
        """Delete the bodies of variants that no record names any more."""
        for variant in variants:
            self._delete(variant.places.values())

    def _put_bodies(self, bodies: Mapping[str, bytes]) -> dict[str, BodyRef]:
        places = {}
        for coding, body in bodies.items():
            place = BodyRef.of(body, serial=self.ledger.next_serial())
            name = serial_key(place.serial)
            self._transaction.put(name, body, db=self._environment.bodies, append=True)
            places[coding] = place
        return places

    def _delete(self, places: Iterable[BodyRef]) -> None:
        for place in places:
            self._transaction.delete(serial_key(place.serial), db=self._environment.bodies)

    def purge(self, key: bytes, *, refill: bool = False) -> int:
        """Delete a key and refuse older tokens; return how many variants there were.

        With `refill` the page is wanted from now on, if its readers were many enough.
        """
        record = self.pop_entry(key)
        self.ledger.record_purge(self._environment, self._transaction, key_digest(key))
        if record is None:
            return 0
        if refill:
            refill_queue.enqueue_if_requested(self._environment, self._transaction, record)
        self.delete_bodies(record.variants)
        return len(record.variants)

    def purge_all(self, *, refill: bool = False) -> int:
        """Delete all keys and refuse all older tokens; return how many variants there were."""
        if refill:
            refill_queue.enqueue_most_requested(self._environment, self._transaction)
        there, self.ledger.variants = self.ledger.variants, 0
        for table in (
            self._environment.pages,
            self._environment.bodies,
            self._environment.eviction_order,
        ):
            self._transaction.drop(table, delete=False)
        self.ledger.purge_count += 1
        self.ledger.record_purge_all(self._environment, self._transaction)
        return there

    def make_room(self, size: int) -> bool:
        """Let pages leave until this many bytes more fit; False when they never will."""
        target = int(self._environment.limit * _MAX_FILL) - size
        chances = _SECOND_CHANCES
        while self._environment.used_bytes(self._transaction) > target:
            first = next(iter(self._transaction.cursor(db=self._environment.eviction_order)), None)
            if first is None:
                return False
            chances -= self._evict_one(*first, spare=chances > 0)
        return True

    def _evict_one(self, turn: bytes, name: bytes, *, spare: bool) -> bool:
        """Take one page off the head of the queue; True when it got a second chance."""
        pages, visits = self._environment.pages, self._environment.access_counters
        self._transaction.delete(turn, db=self._environment.eviction_order)
        data = self._transaction.get(name, db=pages)
        if data is not None and spare and visits.clear_reference_bit(visits.slot(name)):
            serial = self.ledger.next_serial()
            self._transaction.put(name, CacheEntry.with_serial(data, turn=serial), db=pages)
            self._transaction.put(
                serial_key(serial), name, db=self._environment.eviction_order, append=True
            )
            return True
        record = None if data is None else CacheEntry.parse(data)
        if record is not None and serial_key(record.eviction_serial) == turn:
            self._transaction.delete(name, db=pages)
            self.delete_bodies(record.variants)
            self.ledger.variants -= len(record.variants)
            self.ledger.evicted += 1
        return False
