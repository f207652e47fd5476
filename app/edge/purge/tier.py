"""A tier: one edge as the outbox sees it, and where it stands between the pages and the readers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One edge to purge; each gateway store of each machine is one of its own.

    `depth` counts outwards: tiers of a lower depth stand in front of the pages, and are purged
    before it. `flight` is the longest time that a stale response can be on its way to it; after
    that it is purged again, unless it refuses such a response by itself (zero). More than
    `backlog` pages that wait fold into a purge of everything. A dead letter folds into one after
    `patience`. Pages that the edge may keep for at most `ignored_lifetime` are not purged there. A
    tier that is purged `by_url` is owed short-lived pages one by one, or not at all.
    """

    name: str
    depth: int
    max_flight_time: timedelta = timedelta(0)
    max_backlog: int = 5_000
    dead_letter_timeout: timedelta = timedelta(minutes=10)
    ignored_lifetime: timedelta = timedelta(0)
    by_url: bool = False

    def __post_init__(self) -> None:
        if not self.name or len(self.name) > 60:  # noqa: PLR2004 - as the table has it
            raise ValueError("a tier has a name of at most 60 characters")
        if self.max_flight_time < timedelta(0) or self.max_backlog < 1:
            raise ValueError(f"the tier {self.name} can't have a negative flight or no backlog")

    def at_least(self, depth: int, flight: timedelta) -> Tier:
        """The same tier, at least at this depth and with at least this flight: the safer place."""
        if depth <= self.depth and flight <= self.max_flight_time:
            return self
        return replace(
            self, depth=max(depth, self.depth), max_flight_time=max(flight, self.max_flight_time)
        )


def sort_inside_out(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    """The tiers in the order in which a change must reach them."""
    return tuple(sorted(tiers, key=lambda tier: (tier.depth, tier.name)))
