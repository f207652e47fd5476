"""Where a page is: in this machine's gateway, and how each tier stands to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..purge.page_status import Standing, standings

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..gateway.stored_response import Stored
    from .embedded_gateway import Embedded


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One form of a page in the gateway: seconds of age and of life left, and its codings."""

    status: int
    age: int
    ttl: int
    codings: tuple[str, ...]
    varies: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, stored: Stored, now: float) -> Copy:
        """What is stored, as of an instant."""
        age = now - stored.born
        return cls(
            status=stored.status,
            age=round(age),
            ttl=round(stored.lifetime - age),
            codings=tuple(sorted(stored.answers)),
            varies=stored.vary,
        )

    def words(self) -> str:
        """The same for people."""
        left = f"fresh for {self.ttl} s" if self.ttl > 0 else f"stale for {-self.ttl} s"
        form = "".join(f", for {name}: {value or 'none'}" for name, value in self.varies)
        return f"{self.age} s old, {left}, as {' and '.join(self.codings)}{form}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a page is; `copies` is None where there is no gateway."""

    copies: tuple[Copy, ...] | None
    tiers: tuple[Standing, ...]

    def words(self) -> Iterator[str]:
        """The same for people."""
        if self.copies is not None and not self.copies:
            yield "This machine's gateway does not have it."
        for copy in self.copies or ():
            yield f"This machine's gateway has it: {copy.words()}."
        for standing in self.tiers:
            yield from standing.words()

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        copies = None if self.copies is None else [asdict(copy) for copy in self.copies]
        return {"gateway": copies, "tiers": [standing.as_json() for standing in self.tiers]}


def places(connection: Connection, embedded: Embedded | None, url: str, now: datetime) -> Places:
    """Find a page; nothing is changed, and no visit counted."""
    copies = None
    if embedded is not None:
        stored = embedded.store.peek(embedded.gateway.key(url))
        copies = tuple(Copy.of(one, now.timestamp()) for one in stored)
    return Places(copies=copies, tiers=standings(connection, url, now))
