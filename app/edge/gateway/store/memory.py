"""A store for the threads of one process, bounded in bytes, with LRU eviction."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .. import content_coding
from .base import VARIANTS, SaveResult, StoredResponse

if TYPE_CHECKING:
    from collections.abc import Mapping

_MEBI = 1024 * 1024
#: The estimated bytes of a variant besides its bodies and header texts.
_OVERHEAD = 2048
#: The maximum number of purged keys with a count of their own; older ones raise `_min_token`.
_GENERATIONS = 10_000


@dataclass(slots=True)
class _Variant:
    stored: StoredResponse
    bodies: dict[str, bytes]
    size: int


@dataclass(slots=True)
class _Entry:
    variants: list[_Variant] = field(default_factory=list)
    heads: tuple[StoredResponse, ...] = ()
    size: int = 0


class MemoryStore:
    """Stores at most `max_bytes` in all and `max_entry` bytes of bodies in one response."""

    def __init__(
        self,
        *,
        max_bytes: int = 64 * _MEBI,
        max_entry: int = 8 * _MEBI,
        max_variants: int = VARIANTS,
    ) -> None:
        self._max_bytes = max_bytes
        self._max_entry = max_entry
        self._max_variants = max_variants
        self._lock = threading.Lock()
        self._entries: OrderedDict[bytes, _Entry] = OrderedDict()
        self._size = 0
        self._counter = 0
        self._min_token = 0
        self._purge_counts: OrderedDict[bytes, int] = OrderedDict()

    def purge_token(self) -> int:
        """Return the purge token for fetches that begin now."""
        return self._counter

    def load(self, key: bytes) -> tuple[StoredResponse, ...]:
        """Return all variants of a key; empty if nothing is stored."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                return ()
            self._entries.move_to_end(key)
            return entry.heads

    def read_body(self, key: bytes, stored: StoredResponse, coding: str) -> bytes | None:
        """Return a body of this stored response; None if it was evicted in the meantime."""
        entry = self._entries.get(key)
        for variant in tuple(entry.variants) if entry else ():
            if variant.stored.id == stored.id:
                return variant.bodies.get(coding)
        return None

    def save(
        self, key: bytes, stored: StoredResponse, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Store a response and its bodies; replace the variant with the same `vary`."""
        length = sum(map(len, bodies.values()))
        size = length + _head_size(key, stored)
        if length > self._max_entry:
            return SaveResult.TOO_LARGE
        if size > self._max_bytes:
            return SaveResult.FULL
        with self._lock:
            if self._purged_since(key, token):
                return SaveResult.PURGED_SINCE_FETCH
            others = [v for v in self._variants(key) if v.stored.vary != stored.vary]
            variant = _Variant(stored=stored, bodies=dict(bodies), size=size)
            self._replace_entry(key, [*others, variant][-self._max_variants :])
            self._evict(spare=key)
        return SaveResult.SAVED

    def freshen(self, key: bytes, stored: StoredResponse, *, token: int) -> SaveResult:
        """Replace the head of the variant with this `id`; its bodies do not change."""
        with self._lock:
            if self._purged_since(key, token):
                return SaveResult.PURGED_SINCE_FETCH
            variants = self._variants(key)
            old = next((v for v in variants if v.stored.id == stored.id), None)
            if old is None:
                return SaveResult.NOT_FOUND
            size = sum(map(len, old.bodies.values())) + _head_size(key, stored)
            fresh = _Variant(stored=stored, bodies=old.bodies, size=size)
            others = [v for v in variants if v is not old and v.stored.vary != stored.vary]
            self._replace_entry(key, [*others, fresh])
            self._evict(spare=key)
        return SaveResult.SAVED

    def add_codings(
        self, key: bytes, name: str, bodies: Mapping[str, bytes], *, token: int
    ) -> SaveResult:
        """Add compressed bodies to the response with this `id`, and clear `needs_compression`."""
        with self._lock:
            if self._purged_since(key, token):
                return SaveResult.PURGED_SINCE_FETCH
            variants = self._variants(key)
            old = next(
                (v for v in variants if v.stored.id == name and v.stored.needs_compression), None
            )
            if old is None:
                return SaveResult.NOT_FOUND
            every = {**bodies, "identity": old.bodies["identity"]}
            if sum(map(len, every.values())) > self._max_entry:
                bodies, every = {}, old.bodies
            stored = content_coding.add_codings(
                old.stored, {name: len(body) for name, body in bodies.items()}
            )
            size = sum(map(len, every.values())) + _head_size(key, stored)
            fresh = _Variant(stored=stored, bodies=every, size=size)
            self._replace_entry(key, [fresh if v is old else v for v in variants])
            self._evict(spare=key)
        return SaveResult.SAVED

    def purge(self, key: bytes) -> int:
        """Delete all variants and reject older tokens; return their number."""
        with self._lock:
            self._counter += 1
            self._purge_counts[key] = self._counter
            self._purge_counts.move_to_end(key)
            if len(self._purge_counts) > _GENERATIONS:
                self._min_token = self._purge_counts.popitem(last=False)[1]
            return self._remove(key)

    def purge_all(self) -> int:
        """Delete everything and reject all older tokens; return the number of variants."""
        with self._lock:
            self._counter += 1
            self._min_token = self._counter
            self._purge_counts.clear()
            return sum(self._remove(key) for key in tuple(self._entries))

    def close(self) -> None:
        """Delete everything."""
        self.purge_all()

    def _purged_since(self, key: bytes, token: int) -> bool:
        return self._purge_counts.get(key, 0) > token or self._min_token > token

    def _variants(self, key: bytes) -> list[_Variant]:
        entry = self._entries.get(key)
        return entry.variants if entry else []

    def _replace_entry(self, key: bytes, variants: list[_Variant]) -> None:
        self._remove(key)
        if not variants:
            return
        heads = tuple(variant.stored for variant in variants)
        size = sum(variant.size for variant in variants)
        self._entries[key] = _Entry(variants=variants, heads=heads, size=size)
        self._size += size

    def _remove(self, key: bytes) -> int:
        entry = self._entries.pop(key, None)
        if entry is None:
            return 0
        self._size -= entry.size
        return len(entry.variants)

    def _evict(self, *, spare: bytes) -> None:
        while self._size > self._max_bytes and len(self._entries) > 1:
            self._remove(next(iter(self._entries)))
        while self._size > self._max_bytes:
            self._replace_entry(spare, self._entries[spare].variants[1:])


def _head_size(key: bytes, stored: StoredResponse) -> int:
    texts = sum(len(name) + len(value) for name, value in stored.headers + stored.internal_headers)
    return _OVERHEAD + len(key) + texts
