"""Distinguish an edge that rewrites pages from one that serves old pages.

An edge may add a script, obfuscate e-mail addresses or prepend lines to robots.txt. A page that
differs in the same way after a completed purge is rewritten. Only `load_memory` and `store_memory`
access the database.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from difflib import SequenceMatcher
from itertools import takewhile
from typing import Any

from sqlalchemy.engine import Connection

from ..changes.metadata import get_meta, set_meta
from ..changes.timestamps import from_microseconds, to_microseconds

MAX_PAGES = 50
"""The maximum number of stored suspicions and of rewritten pages; the oldest are dropped."""

MAX_KINDS = 500
"""The maximum number of kinds of differences that are stored as rewriting."""

_MAX_COMPARISONS = 4_000_000
"""The maximum number of compared pairs; a larger difference is one single kind."""

_NOTE = "rewriting"
_PIECES = re.compile(rb"(?<=[>\n])")
_EMAIL = re.compile(rb"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TOKEN = re.compile(rb"(?=[\w=+/-]*\d)[\w=+/-]{8,}")
_OWN_ETAG = re.compile(r'(?:W/)?"[0-9a-f]{32}"')

Kinds = frozenset[str]
"""Digests of removed and inserted text, regardless of its position in the page."""


def differences(fresh: bytes, received: bytes) -> Kinds:
    """Return the kinds of differences between a fresh body and the one at the edge.

    E-mail addresses and inserted long tokens with digits differ between pages and responses, so
    they are replaced by placeholders.
    """
    return frozenset(
        hashlib.blake2b(
            _EMAIL.sub(b"@", old) + b"\0" + _TOKEN.sub(b"#", new), digest_size=8
        ).hexdigest()
        for old, new in _hunks(_PIECES.split(fresh), _PIECES.split(received))
    )


def _hunks(fresh: list[bytes], received: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    head = _alike(fresh, received)
    fresh, received = fresh[head:], received[head:]
    tail = _alike(fresh[::-1], received[::-1])
    fresh, received = fresh[: len(fresh) - tail], received[: len(received) - tail]
    if len(fresh) * len(received) > _MAX_COMPARISONS:
        yield b"".join(fresh), b"".join(received)
        return
    matcher = SequenceMatcher(None, fresh, received, autojunk=False)
    for what, i, j, k, m in matcher.get_opcodes():
        if what != "equal":
            yield b"".join(fresh[i:j]), b"".join(received[k:m])


def _alike(one: list[bytes], other: list[bytes]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def rewritten_by_etag(fresh_etag: str, fresh: bytes, seen_etag: str) -> bool | None:
    """Return by ETags whether a differing body was made from the fresh one; None if unknown.

    Only an ETag that is a digest of the body, as this library creates it, is conclusive: a view may
    give two bodies the same ETag, and an edge may create its own ETags.
    """
    own_etag = f'"{hashlib.blake2b(fresh, digest_size=16).hexdigest()}"'
    if fresh_etag != own_etag or not _OWN_ETAG.fullmatch(seen_etag):
        return None
    return seen_etag.removeprefix("W/") == own_etag


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """The differences of a page when it was purged again, and the time of that purge."""

    kinds: Kinds
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Observations of the public edge: the `kinds` of rewriting, and `pages` with them."""

    suspicions: Mapping[str, Suspicion] = field(default_factory=dict)
    kinds: Kinds = frozenset()
    pages: tuple[str, ...] = ()

    def explains(self, kinds: Kinds) -> bool:
        """Return whether all of these differences are known to be rewriting."""
        return bool(kinds) and kinds <= self.kinds

    def suspicion_of_same(self, url: str, kinds: Kinds) -> Suspicion | None:
        """Return the suspicion of a page with the same differences, ignoring known rewriting."""
        suspicion = self.suspicions.get(url)
        same = suspicion is not None and suspicion.kinds - self.kinds == kinds - self.kinds
        return suspicion if same else None

    def with_suspicion(self, url: str, kinds: Kinds, now: datetime) -> Memory:
        """Return a copy with a page that has these differences and is purged now."""
        others = {name: suspicion for name, suspicion in self.suspicions.items() if name != url}
        newest = dict(list(others.items())[-MAX_PAGES + 1 :])
        suspicions = {**newest, url: Suspicion(kinds=kinds, at=now)}
        return Memory(suspicions=suspicions, kinds=self.kinds, pages=self.pages)

    def with_rewritten(self, url: str, kinds: Kinds) -> Memory:
        """Return a copy with a page that is rewritten in these ways."""
        other_suspicions = {
            name: suspicion for name, suspicion in self.suspicions.items() if name != url
        }
        pages = (*(page for page in self.pages if page != url), url)[-MAX_PAGES:]
        both = self.kinds | kinds
        most = both if len(both) <= MAX_KINDS else kinds
        return Memory(suspicions=other_suspicions, kinds=most, pages=pages)

    def with_fresh(self, url: str) -> Memory:
        """Return a copy without a page that is not rewritten; without pages, drop all kinds."""
        other_suspicions = {
            name: suspicion for name, suspicion in self.suspicions.items() if name != url
        }
        pages = tuple(page for page in self.pages if page != url)
        return Memory(
            suspicions=other_suspicions, kinds=self.kinds if pages else frozenset(), pages=pages
        )

    def to_text(self) -> str:
        """Return the finding as text; empty if no page is rewritten."""
        if not self.pages:
            return ""
        more = f" and {len(self.pages) - 1} more" if len(self.pages) > 1 else ""
        return (
            f"rewritten: the public edge modifies pages ({self.pages[0]}{more}), for example by an "
            "added script or obfuscated addresses. They are not purged because of this."
        )


def load_memory(connection: Connection) -> Memory:
    """Read the observations of the public edge."""
    stored = get_meta(connection, _NOTE)
    if stored is None:
        return Memory()
    values: dict[str, Any] = json.loads(stored)
    suspicions = {
        url: Suspicion(kinds=frozenset(kinds), at=from_microseconds(at))
        for url, kinds, at in values["suspicions"]
    }
    return Memory(
        suspicions=suspicions, kinds=frozenset(values["kinds"]), pages=tuple(values["pages"])
    )


def store_memory(connection: Connection, memory: Memory) -> None:
    """Store the observations of the public edge."""
    values = {
        "suspicions": [
            (url, _sorted(suspicion.kinds), to_microseconds(suspicion.at))
            for url, suspicion in memory.suspicions.items()
        ],
        "kinds": _sorted(memory.kinds),
        "pages": list(memory.pages),
    }
    set_meta(connection, _NOTE, json.dumps(values))


def _sorted(kinds: Collection[str]) -> list[str]:
    return sorted(kinds)[:MAX_KINDS]
