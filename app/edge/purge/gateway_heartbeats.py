"""Heard: which gateways are not heard of any more, by a clock that is never set.

No two machines' clocks are compared: who says nothing new while this process counts to ALIVE is
gone, and has stopped answering by itself before, since it counts as well (`flask/lease.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import tier as tiers

HEARTBEAT_TIMEOUT = timedelta(seconds=15)
"""A gateway that says nothing for so long is gone: nobody waits for it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilentGateways:
    """Gateways that are gone, each with what it said last.

    `for_long`: what they answered at the very end has arrived by now as well.
    """

    silent: tuple[tuple[str, int], ...] = ()
    silent_past_flight: tuple[tuple[str, int], ...] = ()


@dataclass(slots=True)
class HeartbeatMonitor:
    """What each gateway said last, and since when it has said nothing else."""

    monotonic: Callable[[], float]
    _since: dict[str, tuple[int, float]] = field(default_factory=dict)

    def read_heartbeats(self, connection: Connection) -> None:
        """Note what is said now; who looks often knows soon who is gone."""
        rows = connection.execute(
            sa.select(tiers.c.name, tiers.c.seen_at).where(tiers.c.seen_at != 0)
        ).all()
        # Later than what was read: nobody is called gone too soon.
        now = self.monotonic()
        before = self._since
        self._since = {
            name: before[name] if name in before and before[name][0] == seen_at else (seen_at, now)
            for name, seen_at in rows
        }

    def silent_gateways(
        self, connection: Connection, flight: timedelta = timedelta(0)
    ) -> SilentGateways:
        """The gateways that are gone, and those that are so for as long as a response flies."""
        self.read_heartbeats(connection)
        return SilentGateways(
            silent=self._silent_for(HEARTBEAT_TIMEOUT),
            silent_past_flight=self._silent_for(HEARTBEAT_TIMEOUT + flight),
        )

    def silent_names(self) -> tuple[str, ...]:
        """The names of those that were gone at the last look."""
        return tuple(name for name, _seen_at in self._silent_for(HEARTBEAT_TIMEOUT))

    def _silent_for(self, span: timedelta) -> tuple[tuple[str, int], ...]:
        by = self.monotonic() - span.total_seconds()
        # A copy: several tiers' threads share it.
        return tuple(
            (name, seen_at) for name, (seen_at, at) in self._since.copy().items() if at <= by
        )
