"""What `flask edge status` says: how purging goes, how full the index is, what is to be made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from .. import purge
from ..pages.capacity import IndexCapacity, IndexSize
from ..pages.precision import Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeStatus:
    """How purging goes and how precisely, how full the index is, how many pages wait to be made.

    `refill` is None where this machine's gateway is not refilled.
    """

    purging: purge.PurgeStatus
    index: IndexSize
    capacity: IndexCapacity | None
    refill: int | None
    precision: Precision
    build: str = ""
    """Why this process shares nothing: its build is not the released one; else empty."""

    @property
    def tiers(self) -> tuple[purge.TierStatus, ...]:
        """How each tier is doing."""
        return self.purging.tiers

    def to_lines(self) -> Iterator[str]:
        """The same in lines for people."""
        if self.build:
            yield self.build
        yield from self.purging.to_lines()
        most = "" if self.capacity is None else f" of {self.capacity.max_pages}"
        yield f"The index holds {self.index.pages}{most} pages."
        aside = "" if self.capacity is None else f" of {self.capacity.max_open_ended}"
        yield f"  {self.index.open_ended}{aside} are answers to a query that are kept for long"
        yield f"Beside them it holds {self.index.short} short-lived pages:"
        yield f"  errors, redirects and answers to a query{self._most_short()}"
        if self.capacity is not None and self.index.pages >= self.capacity.max_pages:
            yield "  it is full: further pages are not shared; let EDGE_INDEX_PAGES be larger"
        yield self.precision.to_text()
        if self.refill is not None:
            yield f"{self.refill} purged pages of this machine's gateway wait to be made anew."

    def _most_short(self) -> str:
        return "" if self.capacity is None else f", at most {self.capacity.max_open_ended} of each"

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        most = {} if self.capacity is None else {"most": self.capacity.max_pages}
        index = {"pages": self.index.pages, "aside": self.index.open_ended}
        index |= {"short": self.index.short, **most}
        precision = {**asdict(self.precision), "ratio": self.precision.ratio}
        return {
            **self.purging.to_json(),
            "index": index,
            "precision": precision,
            "refill": self.refill,
            "build": self.build,
        }
