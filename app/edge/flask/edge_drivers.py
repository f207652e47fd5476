"""Fronting: the edges in front of an app, by what they are purged, and whether they can be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ..cdn import DRIVER_SETTINGS, build_driver, why_not_purgeable
from ..dependencies.engine_events import INTERNAL_OPTIONS
from ..purge import open_breakers
from ..purge.edge_chain import EdgeChain
from ..purge.purgeable_count import PurgeableCountCache
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Engine

    from ..purge.edge_chain import DriverFactory

_log = logging.getLogger(__name__)


def with_drivers(app: Flask, front: EdgeChain, drivers: DriverFactory) -> EdgeChain:
    """Let the edges be purged that have a driver; what pages say of themselves follows from it."""
    dialects = [edge.dialect for edge in reversed(front.edges)]
    chain = EdgeChain.from_dialects(dialects, front.gateway, cap=front.cap, drivers=drivers)
    app.config["EDGE_PURGED"] = ",".join(tier.name for tier in chain.tiers)
    return chain


def drivers_from_settings(app: Flask, site: str) -> DriverFactory:
    """The drivers that an app's settings ask for."""
    return lambda name: (
        build_driver(name, app.config, site=site) if name in DRIVER_SETTINGS else None
    )


def explain_unpurgeable(app: Flask) -> tuple[str, ...]:
    """Say of each edge that has no driver why, the outermost first."""
    edges = reversed(state_of(app).edge_chain.edges)
    names = [edge.dialect.name for edge in edges if edge.tier is None]
    return tuple(
        why_not_purgeable(name, app.config) or f"{name}: it has no driver." for name in names
    )


class PurgeableEdgeCounter:
    """Counts the edges that can be purged, and says so when that has changed."""

    def __init__(self, engine: Engine, front: EdgeChain, clock: Callable[[], datetime]) -> None:
        self._engine = engine.execution_options(**INTERNAL_OPTIONS)
        self._front = front
        self._clock = clock
        self._before = front.purgeable_count

    def __call__(self) -> int:
        """Look what is owed and what has failed."""
        with self._engine.connect() as connection:
            broken = open_breakers(connection, self._clock())
        purgeable_count = self._front.trusted_with(broken)
        if purgeable_count != self._before:
            capped = [edge.dialect.name for edge in self._front.edges[purgeable_count:]]
            extra = {"capped": capped, "reasons": broken}
            _log.warning("edge.capped" if capped else "edge.uncapped", extra=extra)
        self._before = purgeable_count
        return purgeable_count


def build_purgeable_counter(
    engine: Engine, front: EdgeChain, clock: Callable[[], datetime]
) -> PurgeableCountCache | None:
    """What is asked of every answer; None where no edge in front can ever be purged."""
    return (
        PurgeableCountCache(PurgeableEdgeCounter(engine, front, clock))
        if front.purgeable_count
        else None
    )
