"""Relaying for an app: how it goes, and doing it in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

from .. import purge
from ..index.bound import fullness
from ..index.precision import precision
from ..policy import PolicyError
from .asking import tracker_of
from .condition import other_build
from .fronting import never_purged
from .report import Report

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Connection

    from ..purge.delivery import Delivery
    from .embedded import Embedded
    from .upkeep import Upkeep


def status(app: Flask) -> Report:
    """What is owed to each edge of an app, how long, how fast it arrives, and what is kept."""
    state, tracker = app.extensions["edge"], tracker_of(app)
    with tracker.reading() as connection:
        return Report(
            purging=_purging(app, connection),
            index=fullness(connection),
            precision=precision(connection),
            bound=tracker.bound,
            refill=_waiting(state.embedded),
            build=other_build(tracker, connection),
        )


def _purging(app: Flask, connection: Connection) -> purge.Status:
    deliveries = {found.tier.name: found for found in upkeep_of(app).relay.deliveries}
    found = purge.status(connection, app.extensions["edge"].clock(), deliveries)
    tiers = (replace(tier, driver=_driver(deliveries.get(tier.name))) for tier in found.tiers)
    return replace(found, tiers=tuple(tiers), capped=never_purged(app))


def _driver(delivery: Delivery | None) -> str:
    if delivery is None:
        return ""
    return f"{type(delivery.driver).__name__}: {delivery.driver.limits.words()}"


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
