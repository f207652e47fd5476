"""A tier: one edge in the purge order, at a position between the origin and the readers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

GATEWAY_PREFIX = "gateway-"
"""The first part of the name of a tier that is a gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """One edge to purge; each gateway store of each machine is a separate tier.

    `depth` counts outwards from the origin: tiers with a lower depth are purged first.
    `max_flight_time` is the longest time that a stale response can be on its way to the tier; the
    second purge follows after it. Zero: the tier refuses such responses itself. More than
    `max_backlog` pending pages become one purge of everything, as does a dead letter after
    `dead_letter_timeout`. Pages that the edge may store for at most `ignored_lifetime` are not
    purged there. A tier with `by_url` gets an entry for each short-lived page, or none.
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
            raise ValueError(
                f"the tier {self.name} needs max_flight_time >= 0 and max_backlog >= 1"
            )

    def at_least(self, depth: int, flight: timedelta) -> Tier:
        """Return the tier with at least this depth and at least this time of flight."""
        if depth <= self.depth and flight <= self.max_flight_time:
            return self
        return replace(
            self, depth=max(depth, self.depth), max_flight_time=max(flight, self.max_flight_time)
        )


def sort_inside_out(tiers: Iterable[Tier]) -> tuple[Tier, ...]:
    """Return the tiers in the order in which a change must reach them."""
    return tuple(sorted(tiers, key=lambda tier: (tier.depth, tier.name)))
