"""Heartbeats of gateways: find gateways that have fallen silent.

The clocks of machines are not compared. A gateway is silent when its heartbeat has not changed for
HEARTBEAT_TIMEOUT on this process's monotonic clock. Its own lease (`lease.py`) is shorter, so it
stops serving from its store first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .lease import HEARTBEAT_TIMEOUT
from .tables import tier as tiers


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentGateways:
    """Silent gateways, each with its last heartbeat.

    `silent_past_flight`: those whose last responses have arrived at the outer tiers by now.
    """

    silent: tuple[tuple[str, int], ...] = ()
    silent_past_flight: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class HeartbeatMonitor:
    """Records the last heartbeat of each gateway, and since when it has not changed."""

    monotonic: Callable[[], float]
    _since: dict[str, tuple[int, float]] = field(default_factory=dict)

    def read_heartbeats(self, connection: Connection) -> None:
        """Read all heartbeats; call it often, so that silent gateways are found soon."""
        rows = connection.execute(
            sa.select(tiers.c.name, tiers.c.seen_at).where(tiers.c.seen_at != 0)
        ).all()
        # Taken after the query, so that no gateway counts as silent too early.
        now = self.monotonic()
        before = self._since
        self._since = {
            name: before[name] if name in before and before[name][0] == seen_at else (seen_at, now)
            for name, seen_at in rows
        }

    def silent_gateways(
        self, connection: Connection, flight: timedelta = timedelta(0)
    ) -> SilentGateways:
        """Return the silent gateways, and those silent for one time of flight longer."""
        self.read_heartbeats(connection)
        return SilentGateways(
            silent=self._silent_for(HEARTBEAT_TIMEOUT),
            silent_past_flight=self._silent_for(HEARTBEAT_TIMEOUT + flight),
        )

    def silent_names(self) -> tuple[str, ...]:
        """Return the names of the gateways that were silent at the last reading."""
        return tuple(name for name, _seen_at in self._silent_for(HEARTBEAT_TIMEOUT))

    def _silent_for(self, span: timedelta) -> tuple[tuple[str, int], ...]:
        by = self.monotonic() - span.total_seconds()
        # A copy, because the threads of several tiers share it.
        return tuple(
            (name, seen_at) for name, (seen_at, at) in self._since.copy().items() if at <= by
        )
