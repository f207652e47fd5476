"""A cache entry: all variants of one key as one LMDB value, with references to their bodies."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import blake2b

from ...stored_response import StoredFormatError, StoredResponse, decode, encode

_CHECK = struct.Struct("<I")
_TURN = struct.Struct("<Q")
_HEAD = struct.Struct("<QIH")
_VARIANT = struct.Struct("<IH")
_BODY = struct.Struct("<HQQI")


@lru_cache(maxsize=4096)
def key_digest(key: bytes) -> bytes:
    """Return the digest of a key: keys may be longer than LMDB allows."""
    return blake2b(key, digest_size=16).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyRef:
    """The serial under which a body is stored, with its length and checksum."""

    serial: int
    length: int
    checksum: int

    @classmethod
    def of(cls, body: bytes, *, serial: int) -> BodyRef:
        """Return the reference to a new body."""
        return cls(serial=serial, length=len(body), checksum=zlib.crc32(body))

    def matches(self, body: bytes) -> bool:
        """Return whether these bytes are the undamaged body."""
        return len(body) == self.length and zlib.crc32(body) == self.checksum


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """A stored response, its encoded form, and the references to its bodies by coding."""

    stored: StoredResponse
    head: bytes
    body_refs: dict[str, BodyRef]

    @classmethod
    def of(cls, stored: StoredResponse, body_refs: dict[str, BodyRef]) -> Variant:
        """Return a variant of this response."""
        return cls(stored=stored, head=encode(stored), body_refs=body_refs)


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """All variants of one key; `eviction_serial` is its position in the eviction order."""

    key: bytes
    eviction_serial: int
    variants: tuple[Variant, ...]
    heads: tuple[StoredResponse, ...] = field(init=False)
    by_id: dict[str, Variant] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "heads", tuple(variant.stored for variant in self.variants))
        object.__setattr__(self, "by_id", {variant.stored.id: variant for variant in self.variants})

    def __bytes__(self) -> bytes:
        parts = [_HEAD.pack(self.eviction_serial, len(self.key), len(self.variants)), self.key]
        for variant in self.variants:
            parts += (_VARIANT.pack(len(variant.head), len(variant.body_refs)), variant.head)
            for coding, ref in variant.body_refs.items():
                name = coding.encode()
                parts += (_BODY.pack(len(name), ref.serial, ref.length, ref.checksum), name)
        return _with_checksum(b"".join(parts))

    @staticmethod
    def with_serial(data: bytes, *, serial: int) -> bytes:
        """Return an encoded entry with another eviction serial, without decoding the rest."""
        return _with_checksum(_TURN.pack(serial) + data[_CHECK.size + _TURN.size :])

    @classmethod
    def parse(cls, data: bytes, *, key: bytes | None = None) -> CacheEntry | None:
        """Parse an entry; return None if it is damaged or has another key with the same digest."""
        reader = _Reader(data)
        try:
            (check,) = reader.unpack(_CHECK)
            if check != zlib.crc32(data[_CHECK.size :]):
                return None
            serial, length, count = reader.unpack(_HEAD)
            stored_key = reader.take(length)
            if key is not None and key != stored_key:
                return None
            return cls(
                key=stored_key,
                eviction_serial=serial,
                variants=tuple(reader.variant() for _ in range(count)),
            )
        except (struct.error, ValueError):  # includes StoredFormatError and UnicodeDecodeError
            return None


def _with_checksum(payload: bytes) -> bytes:
    return _CHECK.pack(zlib.crc32(payload)) + payload


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0

    def take(self, length: int) -> bytes:
        chunk = self._data[self._position : self._position + length]
        if len(chunk) != length:
            raise StoredFormatError("The entry is incomplete.")
        self._position += length
        return chunk

    def unpack(self, form: struct.Struct) -> tuple[int, ...]:
        return form.unpack(self.take(form.size))

    def variant(self) -> Variant:
        length, count = self.unpack(_VARIANT)
        head = self.take(length)
        body_refs = dict(self.body_ref() for _ in range(count))
        return Variant(stored=decode(head), head=head, body_refs=body_refs)

    def body_ref(self) -> tuple[str, BodyRef]:
        length, serial, size, check = self.unpack(_BODY)
        return self.take(length).decode(), BodyRef(serial=serial, length=size, checksum=check)
