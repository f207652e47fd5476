"""Relaying for an app: how it goes, and doing it in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from threading import Event
from typing import TYPE_CHECKING, Any

from .. import purge
from ..changes.log import unresolved
from ..index.bound import Bound, Fullness, fullness
from ..policy import PolicyError
from .asking import tracker_of

if TYPE_CHECKING:
    from flask import Flask

    from .embedded import Embedded
    from .upkeep import Upkeep


MOST_COUNTED = 999
"""More changes that nobody resolved are not counted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How purging goes, how full the index is, and how many pages wait to be made anew.

    `refill` is None where this machine's gateway is not refilled.
    """

    purging: purge.Status
    unresolved: int
    index: Fullness
    bound: Bound | None
    refill: int | None

    @property
    def tiers(self) -> tuple[purge.TierStatus, ...]:
        """How each tier is doing."""
        return self.purging.tiers

    def words(self) -> Iterator[str]:
        """The same in lines for people."""
        yield from self.purging.words()
        if self.unresolved:
            more = " or more" if self.unresolved > MOST_COUNTED else ""
            yield f"{self.unresolved}{more} changes wait for a relay to find their pages."
        most = "" if self.bound is None else f" of {self.bound.pages}"
        yield f"The index holds {self.index.pages}{most} pages."
        aside = "" if self.bound is None else f" of {self.bound.aside}"
        yield f"  {self.index.aside}{aside} are errors, redirects and answers to a query"
        if self.bound is not None and self.index.pages >= self.bound.pages:
            yield "  it is full: further pages are not shared; let EDGE_INDEX_PAGES be larger"
        if self.refill is not None:
            yield f"{self.refill} purged pages of this machine's gateway wait to be made anew."

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        most = {} if self.bound is None else {"most": self.bound.pages}
        index = {"pages": self.index.pages, "aside": self.index.aside, **most}
        told = {"unresolved": self.unresolved, "index": index, "refill": self.refill}
        return {**self.purging.as_json(), **told}


def status(app: Flask) -> Report:
    """What is owed to each edge of an app, how long, how fast it arrives, and what is kept."""
    names = [tier.name for tier in upkeep_of(app).relay.tiers]
    state, tracker = app.extensions["edge"], tracker_of(app)
    with tracker.reading() as connection:
        return Report(
            purging=purge.status(connection, state.clock(), names),
            unresolved=len(unresolved(connection, most=MOST_COUNTED)),
            index=fullness(connection),
            bound=tracker.bound,
            refill=_waiting(state.embedded),
        )


def _waiting(embedded: Embedded | None) -> int | None:
    if embedded is None or embedded.refill is None:
        return None
    stats = embedded.store.stats()
    return 0 if stats is None else stats.wanted


def relay(app: Flask, stop: Event) -> None:
    """Take changes to the edges, and fill the gateway again, until `stop` is set."""
    found = upkeep_of(app)
    found.catch_up()
    found.run(stop)


def upkeep_of(app: Flask) -> Upkeep:
    """What relays the changes of an app; raises PolicyError where nothing does."""
    found: Upkeep | None = app.extensions["edge"].upkeep
    if found is None:
        raise PolicyError("Nothing relays this app's changes: call edge.track().")
    return found
