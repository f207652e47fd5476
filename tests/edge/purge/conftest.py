"""A small site over both databases: posts, their pages in the index, and an outbox."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine

from app.edge import changes, purge
from app.edge import pages as index
from app.edge.changes import WatchedTable, current_log_position, install_triggers
from app.edge.dependencies import Dependency, Row
from app.edge.pages import IndexedPage, RegistrationResult, Resolution
from app.edge.pages.page import AffectedPage
from app.edge.pages.register import register
from app.edge.purge import EntryState, Relay, Tier, enqueue_resolution
from app.edge.purge.file_leader import SoleLeader
from app.edge.purge.runtime import RelayRuntime
from app.edge.purge.tables import outbox

metadata = sa.MetaData()
changes.define_tables(metadata)
index.define_tables(metadata)
purge.define_tables(metadata)

post = sa.Table(
    "post",
    metadata,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
)
WATCHED = (WatchedTable(table="post"),)

NOW = datetime(2026, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)
GATEWAY = Tier(name="gateway", depth=0)
CDN = Tier(name="cdn", depth=1, max_flight_time=timedelta(seconds=30))


def connect(url: str) -> Engine:
    """Create an engine with real transactions, as an app does."""
    engine = sa.create_engine(url)
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine, "connect")
    def _connect(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        kind = connection.get_execution_options().get("sqlite_begin", "DEFERRED")
        connection.exec_driver_sql(f"BEGIN {kind}")

    return engine


def build(engine: Engine, posts: int = 0) -> None:
    """Create the tables and triggers, and register a page for each post."""
    with engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("DELETE FROM edge_change")
        for number in range(1, posts + 1):
            connection.execute(sa.insert(post).values(id=number, version=0))
        connection.exec_driver_sql("UPDATE edge_change SET resolved = true")
    with engine.begin() as connection:
        for number in range(1, posts + 1):
            register_post_page(connection, number)


def register_post_page(connection: Connection, number: int) -> None:
    """Register the page of a post."""
    dependencies: set[Dependency] = {
        Row(table="post", key=(("id", str(number)),), columns=frozenset({"version"})),
    }
    indexed_page = IndexedPage(
        url=f"/{number}",
        tag=f"p-{number}",
        etag='"e"',
        policy="test",
        registered_at=NOW,
        expires_at=NOW + timedelta(days=900),
    )
    assert (
        register(connection, indexed_page, dependencies, [current_log_position(connection)])
        is RegistrationResult.REGISTERED
    )


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """A database in a file."""
    return f"sqlite:///{tmp_path / 'purge.db'}"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def url(request: pytest.FixtureRequest) -> str:
    """The URL of each database in turn."""
    if request.param == "sqlite":
        return str(request.getfixturevalue("sqlite_url"))
    postgres_url: str = request.getfixturevalue("empty_postgres_url")
    return postgres_url.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def engine(url: str) -> Iterator[Engine]:
    """Each database in turn, with the tables."""
    engine = connect(url)
    build(engine)
    yield engine
    engine.dispose()


@dataclass(slots=True)
class Clock:
    """A clock that a test advances; `ticks` is monotonic."""

    now: datetime = NOW
    _ticks: float = field(default=0.0)

    def __call__(self) -> datetime:
        """Return the system time."""
        return self.now

    def ticks(self) -> float:
        """Return the monotonic time in seconds."""
        return self._ticks

    def advance(self, by: timedelta) -> None:
        """Advance both clocks."""
        self.now += by
        self._ticks += by.total_seconds()


def create_runtime(clock: Clock, on_step: Callable[[str], None] | None = None) -> RelayRuntime:
    """Create a runtime with the test's clock and a seeded random generator."""
    return RelayRuntime(
        clock=clock,
        monotonic=clock.ticks,
        random=Random(7),
        on_step=on_step or (lambda _step: None),
    )


def create_relay(engine: Engine, tiers: dict[Tier, Any], clock: Clock, **more: Any) -> Relay:
    """Create a relay with a test runtime."""
    return Relay(engine, tiers, leader=SoleLeader(), runtime=create_runtime(clock), **more)


def enqueue_pages(
    engine: Engine,
    tiers: Sequence[Tier],
    *urls: str,
    now: datetime = NOW,
    everything: str = "",
) -> None:
    """Queue the purge of pages, or of everything, as resolving does."""
    pages = tuple(AffectedPage(id=n, url=url, tag=f"p{url[1:]}") for n, url in enumerate(urls))
    resolution = Resolution(change_count=1, pages=pages, everything_reason=everything)
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        enqueue_resolution(connection, resolution, tiers, now)


def states(engine: Engine, tier: Tier) -> dict[str, EntryState]:
    """Return the state of the newest entry of each page of a tier; `*` is everything."""
    with engine.connect() as connection:
        rows = connection.execute(
            sa.select(outbox.c.url, outbox.c.state)
            .where(outbox.c.tier == tier.name)
            .order_by(outbox.c.id),
        ).all()
    return {url or "*": EntryState(state) for url, state in rows}
