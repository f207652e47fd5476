"""The heartbeat of the relay, and the deputy that delivers when it stops.

The leading relay writes a heartbeat every few seconds into the row of each tier it delivers to.
A deputy takes over when a heartbeat has not changed for some time on its own monotonic clock, so
clocks of machines are not compared. Status reports use the system clock.
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..changes.timestamps import from_microseconds, to_microseconds
from .file_leader import Leader
from .lease import HEARTBEAT_TIMEOUT
from .tables import tier as tiers

HEARTBEAT_INTERVAL = timedelta(seconds=5)
"""How often a relay writes its heartbeat."""

RELAY_TIMEOUT = timedelta(seconds=30)
"""A relay without a heartbeat for this long counts as dead; clocks must differ by less."""


def record_relay_heartbeat(
    connection: Connection, names: Iterable[str], by: str, now: datetime
) -> None:
    """Write the heartbeat of the relay `by` into the rows of the tiers that it delivers to."""
    mine = sa.update(tiers).where(tiers.c.name.in_(list(names)))
    connection.execute(mine.values(relayed_at=to_microseconds(now), relayed_by=by))


def relay_silence(connection: Connection, now: datetime) -> timedelta | None:
    """Return for how long no relay has been alive; None if one is alive or none ever ran."""
    newest = connection.scalar(sa.select(sa.func.max(tiers.c.relayed_at)))
    silence = now - from_microseconds(newest) if newest else timedelta(0)
    return silence if silence > RELAY_TIMEOUT else None


def tiers_without_relay(connection: Connection, now: datetime) -> dict[str, str]:
    """Return the edges in front that no live relay delivers to, each with the reason."""
    query = sa.select(tiers.c.name, tiers.c.relayed_at).where(
        tiers.c.depth > 0,
        tiers.c.relayed_at != 0,
        tiers.c.relayed_at < to_microseconds(now - RELAY_TIMEOUT),
    )
    return {
        row.name: "no relay has delivered to it for "
        f"{_seconds(now - from_microseconds(row.relayed_at))}"
        for row in connection.execute(query)
    }


def tiers_with_relay(connection: Connection, now: datetime) -> set[str]:
    """Return the names of the tiers that a live relay delivers to."""
    alive = tiers.c.relayed_at >= to_microseconds(now - RELAY_TIMEOUT)
    return set(connection.scalars(sa.select(tiers.c.name).where(alive)))


def create_relay_name() -> str:
    """Return a name for the relay of this process, such as `web-1:4711:9f3a`."""
    return f"{socket.gethostname()[:50]}:{os.getpid()}:{secrets.token_hex(2)}"


@dataclass(slots=True)
class RelayHeartbeatMonitor:
    """Records since when each tier's relay heartbeat has not changed, by a monotonic clock."""

    monotonic: Callable[[], float]
    _since: dict[str, tuple[tuple[int, str], float]] = field(default_factory=dict)

    def read_heartbeats(self, connection: Connection, names: Iterable[str]) -> None:
        """Read the relay heartbeats of these tiers."""
        query = sa.select(tiers.c.name, tiers.c.relayed_at, tiers.c.relayed_by)
        rows = connection.execute(query.where(tiers.c.name.in_(list(names)))).all()
        now, before = self.monotonic(), self._since
        self._since = {
            row.name: before[row.name]
            if row.name in before and before[row.name][0] == (row.relayed_at, row.relayed_by)
            else ((row.relayed_at, row.relayed_by), now)
            for row in rows
        }

    def is_any_silent(self, *, but_for: str) -> bool:
        """Return whether a tier had no new heartbeat for HEARTBEAT_TIMEOUT except by `but_for`."""
        by = self.monotonic() - HEARTBEAT_TIMEOUT.total_seconds()
        return any(beat[1] == but_for or at <= by for beat, at in self._since.values())


class Deputy:
    """Leads while no other relay is alive, in place of one that died, hangs or cannot deliver here.

    It has its own leader lock, because a relay that hangs keeps the other one.
    """

    def __init__(
        self,
        engine: Engine,
        lock: Leader,
        names: Iterable[str],
        *,
        by: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._engine = engine
        self._lock = lock
        self._names = tuple(names)
        self._by = by
        self._monotonic = monotonic
        self._heartbeats = RelayHeartbeatMonitor(monotonic)
        self._checked_at = float("-inf")
        self._leads = False

    @property
    def active(self) -> bool:
        """Return whether it led at the last check."""
        return self._leads

    def leads(self) -> bool:
        """Return whether this process has to deliver now; reads the database every few seconds."""
        if self._monotonic() - self._checked_at >= HEARTBEAT_INTERVAL.total_seconds():
            return self.confirm()
        return self._leads

    def confirm(self) -> bool:
        """Check now; call it before our own heartbeat overwrites that of another relay."""
        with self._engine.connect() as connection:
            self._heartbeats.read_heartbeats(connection, self._names)
        self._checked_at = self._monotonic()
        if self._heartbeats.is_any_silent(but_for=self._by):
            self._leads = self._lock.try_lead()
        else:
            self.resign()
        return self._leads

    def resign(self) -> None:
        """Stop leading, because another relay is alive."""
        if self._leads:
            self._lock.resign()
        self._leads = False


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"
