"""The purge status for people and probes: outstanding purges, their age, and the latency."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.log import count_unresolved
from ..changes.timestamps import from_microseconds
from .breaker import open_breakers
from .claim import OVERDUE_AFTER
from .entry_state import OPEN_STATES, EntryState
from .heartbeat import relay_silence
from .rewriting import load_memory
from .samples import StaleSample, get_last_result, stale_samples
from .tables import outbox
from .tables import tier as tiers

LATENCY_SAMPLE_SIZE = 1_000
"""The number of newest purges from which latencies are computed."""

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A purge that an edge refused."""

    id: int
    url: str
    error: str
    died: datetime

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""
        return {"id": self.id, "url": self.url, "error": self.error, "died": self.died.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class TierStatus:
    """The status of one tier, with its newest dead letters.

    `driver` describes the driver and its limits, if this process purges the tier. `silent_for` is
    set for a silent gateway: the time since its last heartbeat.
    """

    name: str
    driver: str = ""
    silent_for: timedelta | None = None
    backlog: int = 0
    resting: int = 0
    oldest: timedelta | None = None
    dead: int = 0
    letters: tuple[DeadLetter, ...] = ()
    breaker: str = ""
    last_success: datetime | None = None
    p50: timedelta | None = None
    p99: timedelta | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data with spans in seconds; its keys are public."""
        return {
            "name": self.name,
            "driver": self.driver,
            "gone": _total_seconds(self.silent_for),
            "backlog": self.backlog,
            "resting": self.resting,
            "oldest": _total_seconds(self.oldest),
            "dead": self.dead,
            "letters": [letter.to_json() for letter in self.letters],
            "breaker": self.breaker,
            "last_success": self.last_success and self.last_success.isoformat(),
            "p50": _total_seconds(self.p50),
            "p99": _total_seconds(self.p99),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PurgeStatus:
    """The status of all tiers at an instant; `entries` counts unresolved changes."""

    at: datetime
    tiers: tuple[TierStatus, ...]
    entries: int = 0
    capped: tuple[str, ...] = ()
    """The reason for each edge that is never purged."""
    stale: tuple[StaleSample, ...] = ()
    """Pages that samples found stale at the public edge, and the newest that were stale."""
    sampled: str = ""
    """The result of the last sample."""
    rewritten: str = ""
    """The finding that the public edge modifies pages; else empty."""
    silence: timedelta | None = None
    """For how long no relay has been alive; None if one is alive or none ever ran."""

    @property
    def is_healthy(self) -> bool:
        """Return whether a relay is alive, every tier can be purged and no page is known stale."""
        purged = not any(tier.breaker for tier in self.tiers)
        return purged and self.silence is None and all(page.until for page in self.stale)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data with durations in seconds; its keys are public."""
        return {
            "at": self.at.isoformat(),
            "tiers": [tier.to_json() for tier in self.tiers],
            "entries": self.entries,
            "capped": list(self.capped),
            "stale": [sample.to_json() for sample in self.stale],
            "sampled": self.sampled,
            "rewritten": self.rewritten,
            "silence": _total_seconds(self.silence),
            "healthy": self.is_healthy,
        }

    def to_lines(self) -> Iterator[str]:
        """Return the lines for the terminal."""
        if self.silence is not None:
            yield dead_relay_text(self.silence)
        if not self.tiers:
            yield "No edge has ever been purged."
        for tier in self.tiers:
            yield from _tier_lines(tier)
        if self.entries:
            yield f"{self.entries} entries of the change log are left for the relay."
        yield from self.capped
        yield from (page.to_text() for page in self.stale)
        if self.rewritten:
            yield self.rewritten
        if self.sampled:
            yield self.sampled


def dead_relay_text(silence: timedelta) -> str:
    """Return the message that no relay is alive, with what to do."""
    return (
        f"No relay has been alive for {silence.total_seconds():.0f} s, so edges in front are not "
        "purged. Start `flask edge relay`, or a web process."
    )


def _tier_lines(tier: TierStatus) -> Iterator[str]:
    if tier.silent_for is not None:
        ago = f"{tier.silent_for.total_seconds():.0f} seconds ago"
        yield f"{tier.name} is silent: its last heartbeat was {ago}, and no purge waits for it."
        return
    state = f"can't be purged: {tier.breaker}" if tier.breaker else "is purged"
    yield f"{tier.name} {state}."
    if tier.driver:
        yield f"  {tier.driver}"
    waits = f", the oldest for {_seconds(tier.oldest)}" if tier.oldest else ""
    yield f"  {tier.backlog} pending{waits}; {tier.resting} awaiting the second purge"
    if tier.p50 is not None and tier.p99 is not None:
        yield f"  from commit to fresh: {_seconds(tier.p50)} (p50), {_seconds(tier.p99)} (p99)"
    if tier.dead:
        yield f"  {tier.dead} dead letters, the newest:"
    for letter in tier.letters:
        first, _, more = letter.url.partition("\n")
        also = f" and {more.count(chr(10)) + 1} more" if more else ""
        yield f"    {first or 'everything'}{also}: {letter.error}"


def _seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.3f} s"


def purge_status(connection: Connection, now: datetime, names: Iterable[str] = ()) -> PurgeStatus:
    """Return the purge status; `names` are tiers to show even if they have never been purged."""
    tier_names = set(names)
    tier_names |= set(connection.scalars(sa.select(tiers.c.name)))
    tier_names |= set(connection.scalars(sa.select(outbox.c.tier).distinct()))
    broken = open_breakers(connection, now)
    tier_statuses = tuple(
        _tier(connection, name, now, broken.get(name, "")) for name in sorted(tier_names)
    )
    return PurgeStatus(
        at=now,
        tiers=tier_statuses,
        entries=count_unresolved(connection),
        stale=stale_samples(connection),
        sampled=get_last_result(connection),
        rewritten=load_memory(connection).to_text(),
        silence=relay_silence(connection, now),
    )


def _tier(connection: Connection, name: str, now: datetime, broken: str) -> TierStatus:
    of_tier = outbox.c.tier == name
    unsent = sa.and_(of_tier, outbox.c.state.in_(OPEN_STATES), outbox.c.sent_at.is_(None))
    backlog, oldest = connection.execute(
        sa.select(sa.func.count(), sa.func.min(outbox.c.enqueued_at)).where(unsent),
    ).one()
    resting = sa.and_(of_tier, outbox.c.state.in_(OPEN_STATES), outbox.c.sent_at.is_not(None))
    query = sa.select(tiers.c.last_success, tiers.c.seen_at).where(tiers.c.name == name)
    success, seen_at = connection.execute(query).one_or_none() or (None, 0)
    silent = now - from_microseconds(seen_at) if seen_at else timedelta(0)
    half, most = _latency_percentiles(connection, name)
    return TierStatus(
        name=name,
        silent_for=silent if silent > OVERDUE_AFTER else None,
        backlog=backlog,
        resting=_count(connection, resting),
        oldest=None if oldest is None else now - from_microseconds(oldest),
        dead=_count(connection, sa.and_(of_tier, outbox.c.state == EntryState.DEAD)),
        letters=_letters(connection, name),
        breaker=broken,
        last_success=None if success is None else from_microseconds(success),
        p50=half,
        p99=most,
    )


def _count(connection: Connection, where: sa.ColumnElement[bool]) -> int:
    return connection.scalar(sa.select(sa.func.count()).select_from(outbox).where(where)) or 0


def _letters(connection: Connection, name: str) -> tuple[DeadLetter, ...]:
    rows = connection.execute(
        sa.select(outbox.c.id, outbox.c.url, outbox.c.last_error, outbox.c.due_at)
        .where(outbox.c.tier == name, outbox.c.state == EntryState.DEAD)
        .order_by(outbox.c.id.desc())
        .limit(SHOWN),
    )
    return tuple(
        DeadLetter(id=row.id, url=row.url, error=row.last_error, died=from_microseconds(row.due_at))
        for row in rows
    )


def _latency_percentiles(
    connection: Connection, name: str
) -> tuple[timedelta | None, timedelta | None]:
    """Return the median and the 99th percentile of the time from commit to purge.

    It starts when the first change was written, so it includes the rest of that transaction.
    """
    newest = (
        sa.select(outbox.c.sent_at - sa.func.coalesce(outbox.c.written_at, outbox.c.enqueued_at))
        .where(outbox.c.tier == name, outbox.c.sent_at.is_not(None))
        .order_by(outbox.c.id.desc())
        .limit(LATENCY_SAMPLE_SIZE)
    )
    # The clock of the database may be ahead of ours by more than a purge takes.
    took = sorted(max(span, 0) for span in connection.scalars(newest))
    if not took:
        return None, None
    half, most = (took[min(len(took) * part // 100, len(took) - 1)] for part in (50, 99))
    return timedelta(microseconds=half), timedelta(microseconds=most)


def _total_seconds(span: timedelta | None) -> float | None:
    return None if span is None else span.total_seconds()
