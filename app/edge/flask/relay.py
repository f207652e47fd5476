"""Status of an app's purges, and running the relay in a process of its own."""

from __future__ import annotations

from dataclasses import replace
from threading import Event
from typing import TYPE_CHECKING

from .. import purge
from ..pages.capacity import estimate_size
from ..pages.precision import total_precision
from ..policy.policy import PolicyError
from .condition import other_build
from .edge_drivers import explain_unpurgeable
from .explain import tracker_of
from .state import state_of
from .status import EdgeStatus

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Connection

    from ..purge.delivery import Delivery
    from .embedded_gateway import EmbeddedGateway
    from .worker import PurgeWorker


def status(app: Flask) -> EdgeStatus:
    """Return pending purges and delays of each edge, the index size, and the precision."""
    state, tracker = state_of(app), tracker_of(app)
    with tracker.read_transaction() as connection:
        return EdgeStatus(
            purging=_load_purge_status(app, connection),
            index=estimate_size(connection),
            precision=total_precision(connection),
            capacity=tracker.capacity,
            refill=_refill_queue_length(state.embedded_gateway),
            build=other_build(tracker, connection),
        )


def _load_purge_status(app: Flask, connection: Connection) -> purge.PurgeStatus:
    deliveries = {delivery.tier.name: delivery for delivery in worker_of(app).relay.deliveries}
    status = purge.purge_status(connection, state_of(app).clock(), deliveries)
    tiers = (replace(tier, driver=_driver(deliveries.get(tier.name))) for tier in status.tiers)
    return replace(status, tiers=tuple(tiers), capped=explain_unpurgeable(app))


def _driver(delivery: Delivery | None) -> str:
    if delivery is None:
        return ""
    return f"{type(delivery.driver).__name__}: {delivery.driver.limits.to_text()}"


def _refill_queue_length(embedded: EmbeddedGateway | None) -> int | None:
    if embedded is None or embedded.refill is None:
        return None
    stats = embedded.store.stats()
    return 0 if stats is None else stats.refill_queue


def relay(app: Flask, stop: Event) -> None:
    """Deliver purges to the edges, and refill the gateway, until `stop` is set."""
    worker = worker_of(app)
    worker.catch_up()
    worker.run(stop)


def worker_of(app: Flask) -> PurgeWorker:
    """Return the purge worker of an app; raises PolicyError if the app has none."""
    worker = state_of(app).worker
    if worker is None:
        raise PolicyError("This app has no relay: call edge.track().")
    return worker
