"""The data that `flask edge status` prints: purges, page index, refill queue."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .. import purge
from ..pages.capacity import IndexCapacity, IndexSize
from ..pages.precision import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeStatus:
    """Status of the purges and their precision, of the page index and of the refill queue.

    `refill` is the number of purged pages to fetch again; None without refill.
    """

    purging: purge.PurgeStatus
    index: IndexSize
    capacity: IndexCapacity | None
    refill: int | None
    precision: Precision
    build: str = ""
    """Why this process shares no page, if its build is not the released one; else empty."""

    @property
    def tiers(self) -> tuple[purge.TierStatus, ...]:
        """The status of each tier."""
        return self.purging.tiers

    def to_lines(self) -> Iterator[str]:
        """Return lines for people."""
        if self.build:
            yield self.build
        yield from self.purging.to_lines()
        limit = "" if self.capacity is None else f" of {self.capacity.max_pages}"
        yield f"The index holds {self.index.pages}{limit} pages."
        open_ended_limit = "" if self.capacity is None else f" of {self.capacity.max_open_ended}"
        open_ended = f"{self.index.open_ended}{open_ended_limit}"
        yield f"  {open_ended} are long-lived responses to a query"
        yield f"It also holds {self.index.short} short-lived pages:"
        yield f"  errors, redirects and responses to a query{self._short_lived_limit()}"
        if self.capacity is not None and self.index.pages >= self.capacity.max_pages:
            yield "  it is full, so further pages are not shared: increase EDGE_INDEX_PAGES"
        yield self.precision.to_text()
        if self.refill is not None:
            yield f"{self.refill} purged pages of this machine's gateway wait to be rendered again."

    def _short_lived_limit(self) -> str:
        return "" if self.capacity is None else f", at most {self.capacity.max_open_ended} of each"

    def to_json(self) -> dict[str, Any]:
        """Return a JSON-serialisable dict."""
        limit = {} if self.capacity is None else {"most": self.capacity.max_pages}
        index = {"pages": self.index.pages, "aside": self.index.open_ended}
        index |= {"short": self.index.short, **limit}
        precision = {**self.precision.to_json(), "ratio": self.precision.ratio}
        return {
            **self.purging.to_json(),
            "index": index,
            "precision": precision,
            "refill": self.refill,
            "build": self.build,
        }
