"""Purge drivers of the edges in front of an app, and which of these edges can be purged."""

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
from .requirements import Extra, require
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Engine

    from ..cdn import Driver
    from ..purge.edge_chain import DriverFactory

_log = logging.getLogger(__name__)


def with_drivers(app: Flask, front: EdgeChain, drivers: DriverFactory) -> EdgeChain:
    """Return the chain with a driver for each edge that has one; EDGE_PURGED lists these edges."""
    dialects = [edge.dialect for edge in reversed(front.edges)]
    chain = EdgeChain.from_dialects(dialects, front.gateway, cap=front.cap, drivers=drivers)
    app.config["EDGE_PURGED"] = ",".join(tier.name for tier in chain.tiers)
    return chain


def drivers_from_settings(app: Flask, site: str) -> DriverFactory:
    """Return a factory of the drivers that the app's settings configure.

    The factory raises PolicyError if a driver is configured and the extra [cdn] is not installed.
    """

    def make(name: str) -> Driver | None:
        if name not in DRIVER_SETTINGS:
            return None
        if why_not_purgeable(name, app.config) is None:
            require(Extra.CDN, f"the purge driver of {name}")
        return build_driver(name, app.config, site=site)

    return make


def explain_unpurgeable(app: Flask) -> tuple[str, ...]:
    """Explain for each edge without a driver why it can't be purged, the outermost first."""
    edges = reversed(state_of(app).edge_chain.edges)
    names = [edge.dialect.name for edge in edges if edge.tier is None]
    return tuple(
        why_not_purgeable(name, app.config) or f"{name}: it has no purge driver." for name in names
    )


class PurgeableEdgeCounter:
    """Counts the edges that can be purged now, and logs each change of the number."""

    def __init__(self, engine: Engine, front: EdgeChain, clock: Callable[[], datetime]) -> None:
        self._engine = engine.execution_options(**INTERNAL_OPTIONS)
        self._front = front
        self._clock = clock
        self._before = front.purgeable_count

    def __call__(self) -> int:
        """Return the number of edges that can be purged, by the open circuit breakers."""
        with self._engine.connect() as connection:
            broken = open_breakers(connection, self._clock())
        purgeable_count = self._front.purgeable_count_without(broken)
        if purgeable_count != self._before:
            capped = [edge.dialect.name for edge in self._front.edges[purgeable_count:]]
            _log_capped(capped, broken)
        self._before = purgeable_count
        return purgeable_count


def _log_capped(capped: list[str], reasons: object) -> None:
    extra = {"capped": capped, "reasons": reasons}
    if capped:
        message = "edge.capped: lifetimes are capped at %s, because a purge fails: %s"
        _log.warning(message, ", ".join(capped), reasons, extra=extra)
    else:
        _log.warning("edge.uncapped: every edge can be purged; full lifetimes again", extra=extra)


def build_purgeable_counter(
    engine: Engine, front: EdgeChain, clock: Callable[[], datetime]
) -> PurgeableCountCache | None:
    """Return a cached counter of purgeable edges, or None if no edge in front has a driver."""
    return (
        PurgeableCountCache(PurgeableEdgeCounter(engine, front, clock))
        if front.purgeable_count
        else None
    )
