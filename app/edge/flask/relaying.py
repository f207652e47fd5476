"""Relaying for an app: how it goes, and doing it in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

from .. import purge
from ..policy import PolicyError
from .asking import tracker_of
from .fronting import never_purged

if TYPE_CHECKING:
    from flask import Flask

    from ..purge.delivery import Delivery
    from .upkeep import Upkeep


def status(app: Flask) -> purge.Status:
    """What is owed to each edge of an app, how long, and how fast it arrives."""
    deliveries = {found.tier.name: found for found in upkeep_of(app).relay.deliveries}
    with tracker_of(app).reading() as connection:
        found = purge.status(connection, app.extensions["edge"].clock(), deliveries)
    tiers = (replace(tier, driver=_driver(deliveries.get(tier.name))) for tier in found.tiers)
    return replace(found, tiers=tuple(tiers), capped=never_purged(app))


def _driver(delivery: Delivery | None) -> str:
    if delivery is None:
        return ""
    return f"{type(delivery.driver).__name__}: {delivery.driver.limits.words()}"


def relay(app: Flask, stop: Event) -> None:
    """Take changes to the edges until `stop` is set."""
    found = upkeep_of(app)
    found.catch_up()
    found.relay.run(stop)


def upkeep_of(app: Flask) -> Upkeep:
    """What relays the changes of an app; raises PolicyError where nothing does."""
    found: Upkeep | None = app.extensions["edge"].upkeep
    if found is None:
        raise PolicyError("Nothing relays this app's changes: call edge.track().")
    return found
