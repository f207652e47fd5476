"""LmdbStore: a store for all processes of one machine, in a folder, bounded in bytes.

Laws: never stale comes before being there. Nothing is served that is not in LMDB at that moment,
and a purge that cannot be written discards the whole store, or, when not even that is possible,
raises and serves nothing until it is.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import lmdb

from .lmdb import UnsoundError, notes, wanted
from .lmdb.door import close_door, open_door
from .lmdb.environment import ClosedError
from .lmdb.ledger import token_of
from .lmdb.record import Variant, digest
from .lmdb.shelf import Shelf, name_of
from .lmdb.stats import Stats
from .lmdb.writing import NotKeptError, changed, defragmented
from .store import VARIANTS, Saved, StoreError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from .lmdb.environment import Environment
    from .lmdb.record import Place, Record
    from .stored import Stored

Told = TypeVar("Told")
_MEBI = 1024 * 1024
_LEAST = _MEBI // 2
_LONGEST_KEY = 16 * 1024
_ROOM_TRIES = 3
_PURGE_TRIES = 5
#: Only a damaged store or environment raises these; a new one is the cure.
_DAMAGED = (
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.PanicError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
    lmdb.BadDbiError,
    UnsoundError,
)
_FAILURES = (lmdb.Error, ClosedError, UnsoundError)


class LmdbStore:
    """Keeps at most `max_bytes` in all and `max_entry` bytes of bodies in one response.

    `recheck` is how long a look at the folder holds: a purge is seen at once all the same, but a
    folder that somebody deletes or truncates by hand is noticed that much later. With `refill`
    the store notes which pages readers will miss after a purge.
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
        if max_bytes < _LEAST:
            raise ValueError(f"A store needs {_LEAST} bytes or more, not {max_bytes}.")
        # The folder is opened when it is first needed: after the fork, in the worker.
        self._door = open_door(path, limit=max_bytes, recheck=recheck.total_seconds())
        self._max_entry = min(max_entry, max_bytes // 2)
        self._max_variants = max_variants
        self._refill = refill

    def token(self) -> int:
        """Return the purge counter, for the saves of what is fetched from now on."""
        return self._told(token_of, otherwise=0)

    def load(self, key: bytes) -> tuple[Stored, ...]:
        """Return all variants of a key; none when nothing is there."""
        environment = self._door.enter()
        if environment is None:
            return ()
        name = digest(key)
        record = self._record(environment, key, name)
        if record is None:
            return ()
        environment.visits.mark(environment.visits.slot(name))
        return record.heads

    def peek(self, key: bytes) -> tuple[Stored, ...]:
        """Return the same for nobody: no visit is counted."""
        environment = self._door.enter()
        record = None if environment is None else self._record(environment, key, digest(key))
        return () if record is None else record.heads

    def body(self, key: bytes, stored: Stored, coding: str) -> bytes | None:
        """Return a body of this very response; None when it was evicted meanwhile."""
        environment = self._door.enter_again()
        if environment is None:
            return None
        place = _place(environment.decoded(key), stored, coding)
        if place is None:
            place = _place(self._record(environment, key, digest(key)), stored, coding)
        return None if place is None else self._body(environment, place)

    def save(self, key: bytes, stored: Stored, bodies: Mapping[str, bytes], *, token: int) -> Saved:
        """Keep a response and its bodies; replaces the variant with the same `vary`."""
        size = sum(map(len, bodies.values()))
        if size > self._max_entry or len(key) > _LONGEST_KEY:
            return Saved.TOO_LARGE

        def add(shelf: Shelf) -> Saved:
            old = shelf.take(key)
            kept = [] if old is None else list(old.variants)
            same = [one for one in kept if one.stored.vary == stored.vary]
            others = [one for one in kept if one.stored.vary != stored.vary]
            surplus = others[: max(0, len(others) + 1 - self._max_variants)]
            shelf.remove(same + surplus)
            shelf.put(key, [*others[len(surplus) :], shelf.add(stored, bodies)])
            return Saved.SAVED

        return self._write(key, add, token=token, size=size)

    def freshen(self, key: bytes, stored: Stored, *, token: int) -> Saved:
        """Replace the head of the variant with this `id`; its bodies stay as they are."""

        def change(shelf: Shelf) -> Saved:
            record = shelf.take(key)
            old = None if record is None else record.by_id.get(stored.id)
            if record is None or old is None:
                return Saved.GONE
            others = [one for one in record.variants if one is not old]
            same = [one for one in others if one.stored.vary == stored.vary]
            shelf.remove(same)
            fresh = Variant.of(stored, old.places)
            shelf.put(key, [*(one for one in others if one not in same), fresh])
            return Saved.SAVED

        return self._write(key, change, token=token, size=0)

    def pack(self, key: bytes, name: str, bodies: Mapping[str, bytes], *, token: int) -> Saved:
        """Add codings to the unpacked response with this `id`; it counts as packed from then on."""
        size = sum(map(len, bodies.values()))

        def add(shelf: Shelf) -> Saved:
            record = shelf.take(key)
            old = None if record is None else record.by_id.get(name)
            if record is None or old is None or not old.stored.unpacked:
                return Saved.GONE
            fits = size + old.places["identity"].length <= self._max_entry
            fresh = shelf.code(old, bodies if fits else {})
            shelf.put(key, [fresh if one is old else one for one in record.variants])
            return Saved.SAVED

        return self._write(key, add, token=token, size=size)

    def purge(self, key: bytes) -> int:
        """Delete all variants and refuse older tokens; StoreError when that can't be done."""
        return self._purge(lambda shelf: shelf.purge(key, refill=self._refill))

    def purge_all(self) -> int:
        """Delete everything and refuse all older tokens; StoreError when that can't be done."""
        return self._purge(lambda shelf: shelf.purge_all(refill=self._refill))

    def close(self) -> None:
        """Give back files and memory; the store is not used afterwards."""
        close_door(self._door)

    def stats(self) -> Stats | None:
        """Return how full the store is and what became of it; None while it can't be read."""
        return self._told(Stats.of, otherwise=None)

    def note(self, name: bytes) -> bytes | None:
        """Return what was remembered under a name, in this incarnation of the store."""
        return self._told(partial(notes.read, name=name), otherwise=None)

    def remember(self, name: bytes, value: bytes) -> bool:
        """Keep a small value until the store is discarded; False when it could not be kept."""
        notes.check(name, value)
        return self._told(partial(notes.keep, name=name, value=value), otherwise=False)

    def enlist(self, name: bytes, line: bytes, *, full: bytes) -> bool:
        """Add a line to a note, or `full` where there is no room; False when that failed."""
        notes.check(name, line)
        listed = partial(notes.enlist, name=name, line=line, full=full)
        return self._told(listed, otherwise=False)

    def most_visited(self, count: int) -> list[tuple[bytes, int]]:
        """Return the keys asked for most of those that are there, with about how often."""
        return self._told(partial(wanted.most_visited, count=count), otherwise=[])

    def take_wanted(self) -> bytes | None:
        """Return the key of a purged page that readers will miss most; None when there is none.

        It is returned once: whoever takes it makes the page, or it waits for its next reader.
        """
        return self._told(wanted.taken, otherwise=None)

    def _told(self, ask: Callable[[Environment], Told], *, otherwise: Told) -> Told:
        """Return what a store tells that is there and whole."""
        environment = self._door.enter()
        if environment is None:
            return otherwise
        try:
            return ask(environment)
        except _FAILURES as error:
            self._failed(error)
            return otherwise

    def _record(self, environment: Environment, key: bytes, name: bytes) -> Record | None:
        try:
            data = environment.get(environment.pages, name)
        except _FAILURES as error:
            self._failed(error)
            return None
        return None if data is None else environment.record(key, data)

    def _body(self, environment: Environment, place: Place) -> bytes | None:
        name, hot = name_of(place.serial), environment.hot.get(place.serial)
        try:
            if hot is not None:
                return hot if environment.has(environment.bodies, name) else None
            body = environment.get(environment.bodies, name)
        except _FAILURES as error:
            self._failed(error)
            return None
        if body is None or not environment.prove(place, body):
            return None
        environment.hot.add(place.serial, body)
        return body

    def _write(
        self, key: bytes, change: Callable[[Shelf], Saved], *, token: int, size: int
    ) -> Saved:
        for tried in range(_ROOM_TRIES):
            environment = self._door.enter()
            if environment is None:
                return Saved.FAILED
            try:
                if tried and not defragmented(environment, share=tried / 8):
                    self._door.discard("no page is free, not even to free others")
                    return Saved.FULL
                return changed(environment, key, change, token=token, size=size)
            except lmdb.MapFullError:
                continue
            except NotKeptError as refused:
                return refused.saved
            except _FAILURES as error:
                self._failed(error)
                return Saved.FAILED
        return Saved.FULL

    def _purge(self, change: Callable[[Shelf], int]) -> int:
        there = 0
        for _ in range(_PURGE_TRIES):
            environment = self._door.enter()
            if environment is None:
                break
            try:
                with environment.writing() as transaction:
                    shelf = Shelf(environment, transaction)
                    there += change(shelf)
                    shelf.settle()
            except ClosedError:
                continue
            except lmdb.MapFullError:
                environment.release_readers()
                continue
            except (lmdb.Error, UnsoundError):
                break
            # Was the store replaced meanwhile? Then the purge was written to the old one.
            if environment.is_current():
                return there
        if not self._door.discard("a purge could not be written"):
            raise StoreError("A purge could be neither written nor replaced by a new store.")
        return there

    def _failed(self, error: Exception) -> None:
        if isinstance(error, _DAMAGED):
            self._door.discard(str(error))


def _place(record: Record | None, stored: Stored, coding: str) -> Place | None:
    variant = None if record is None else record.by_id.get(stored.id)
    return None if variant is None else variant.places.get(coding)
