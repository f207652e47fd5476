"""Where a page is stored: copies in this machine's gateway, and its purge status per tier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..purge.page_status import PageTierStatus, page_status

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from ..gateway.stored_response import StoredResponse
    from .embedded_gateway import EmbeddedGateway


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayCopy:
    """A stored variant of a page in the gateway: age and remaining TTL in seconds, codings."""

    status: int
    age: int
    ttl: int
    codings: tuple[str, ...]
    varies: tuple[tuple[str, str | None], ...]

    @classmethod
    def of(cls, stored: StoredResponse, now: float) -> GatewayCopy:
        """Describe a stored response at the time `now`, in epoch seconds."""
        age = now - stored.generated_at
        return cls(
            status=stored.status,
            age=round(age),
            ttl=round(stored.lifetime - age),
            codings=tuple(sorted(stored.representations)),
            varies=stored.vary,
        )

    def to_text(self) -> str:
        """Return one line for people."""
        freshness_text = f"fresh for {self.ttl} s" if self.ttl > 0 else f"stale for {-self.ttl} s"
        form = "".join(f", for {name}: {value or 'none'}" for name, value in self.varies)
        return f"{self.age} s old, {freshness_text}, as {' and '.join(self.codings)}{form}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PageLocations:
    """Where a page is stored; `copies` is None if the app has no gateway."""

    copies: tuple[GatewayCopy, ...] | None
    tiers: tuple[PageTierStatus, ...]

    def to_lines(self) -> Iterator[str]:
        """Return lines for people."""
        if self.copies is not None and not self.copies:
            yield "This machine's gateway does not have it."
        for copy in self.copies or ():
            yield f"This machine's gateway has it: {copy.to_text()}."
        for tier in self.tiers:
            yield from tier.to_lines()

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable dict."""
        copies = None if self.copies is None else [asdict(copy) for copy in self.copies]
        return {"gateway": copies, "tiers": [tier.to_json() for tier in self.tiers]}


def locate_page(
    connection: Connection, embedded: EmbeddedGateway | None, url: str, now: datetime
) -> PageLocations:
    """Find the stored copies of a page, without counting an access."""
    copies = None
    if embedded is not None:
        stored = embedded.store.peek(embedded.gateway.cache_key(url))
        copies = tuple(GatewayCopy.of(variant, now.timestamp()) for variant in stored)
    return PageLocations(copies=copies, tiers=page_status(connection, url, now))
