"""Fronting: the edges in front of an app, by what they are purged, and whether they can be."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING

from ..cdn import KEYS, build, why_not
from ..dependencies.engine_events import INTERNAL
from ..purge import breakers
from ..purge.edge_chain import Front
from ..purge.purgeable_count import Trust

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Engine

    from ..purge.edge_chain import Drivers

_log = logging.getLogger(__name__)


def driven(app: Flask, front: Front, drivers: Drivers) -> Front:
    """Let the edges be purged that have a driver; what pages say of themselves follows from it."""
    dialects = [edge.dialect for edge in reversed(front.edges)]
    found = Front.of(dialects, front.gateway, cap=front.cap, drivers=drivers)
    app.config["EDGE_PURGED"] = ",".join(tier.name for tier in found.tiers)
    return found


def from_settings(app: Flask, site: str) -> Drivers:
    """The drivers that an app's settings ask for."""
    return lambda name: build(name, app.config, site=site) if name in KEYS else None


def never_purged(app: Flask) -> tuple[str, ...]:
    """Say of each edge that has no driver why, the outermost first."""
    edges = reversed(app.extensions["edge"].front.edges)
    names = [edge.dialect.name for edge in edges if edge.tier is None]
    return tuple(why_not(name, app.config) or f"{name}: it has no driver." for name in names)


class Looking:
    """Counts the edges that can be purged, and says so when that has changed."""

    def __init__(self, engine: Engine, front: Front, clock: Callable[[], datetime]) -> None:
        self._engine = engine.execution_options(**INTERNAL)
        self._front = front
        self._clock = clock
        self._before = front.trusted

    def __call__(self) -> int:
        """Look what is owed and what has failed."""
        with self._engine.connect() as connection:
            broken = breakers(connection, self._clock())
        trusted = self._front.trusted_with(broken)
        if trusted != self._before:
            capped = [edge.dialect.name for edge in self._front.edges[trusted:]]
            extra = {"capped": capped, "reasons": broken}
            _log.warning("edge.capped" if capped else "edge.uncapped", extra=extra)
        self._before = trusted
        return trusted


def trusting(engine: Engine, front: Front, clock: Callable[[], datetime]) -> Trust | None:
    """What is asked of every answer; None where no edge in front can ever be purged."""
    return Trust(Looking(engine, front, clock)) if front.trusted else None
