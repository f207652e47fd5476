"""Eviction from a full index: the oldest pages, with their purges at every tier."""

from __future__ import annotations

from datetime import timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.pages import IndexCapacity
from app.edge.pages.capacity import estimate_size
from app.edge.pages.tables import page as pages
from app.edge.purge.maintenance import run_maintenance
from app.edge.purge.retention import CLOCK_TOLERANCE, EVICTABLE_AGE, EVICTION_BATCH
from app.edge.purge.tables import outbox

from .conftest import CDN, GATEWAY, NOW, build

TIERS = (GATEWAY, CDN)


def run_maintenance_at(
    engine: Engine, max_pages: int, elapsed: timedelta = timedelta(0)
) -> set[tuple[str, str]]:
    """Run maintenance with this capacity; return the queued purges as (tier, URL)."""
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        run_maintenance(connection, TIERS, NOW + elapsed, IndexCapacity(max_pages=max_pages))
        rows = connection.execute(sa.select(outbox.c.tier, outbox.c.url)).all()
        assert estimate_size(connection).pages == len(there(connection))
    return {(row.tier, row.url) for row in rows}


def there(connection: Connection) -> set[str]:
    """Return the registered URLs."""
    return set(connection.scalars(sa.select(pages.c.url)))


def age(engine: Engine) -> None:
    """Make pages expire in the order of their ids."""
    with engine.begin() as connection:
        connection.execute(sa.update(pages).values(expires_at=pages.c.expires_at + pages.c.id))


def test_pages_over_a_lower_limit_are_evicted_and_purged(engine: Engine) -> None:
    """The pages that would expire first are evicted and purged at every tier."""
    build(engine, 5)
    age(engine)
    queued = run_maintenance_at(engine, 3)
    assert queued == {(tier, url) for tier in ("gateway", "cdn") for url in ("/1", "/2")}
    with engine.connect() as connection:
        assert there(connection) == {"/3", "/4", "/5"}
        rows = connection.execute(sa.select(outbox.c.cause, outbox.c.gone)).all()
    # A hard purge: a stale copy could be of a page that is withdrawn later.
    assert {tuple(row) for row in rows} == {("the page index is full", True)}


def test_a_full_index_evicts_old_pages_in_small_batches(engine: Engine) -> None:
    """Otherwise no new page could be registered for weeks."""
    build(engine, EVICTION_BATCH + 5)
    assert run_maintenance_at(engine, EVICTION_BATCH + 5) == set()
    queued = run_maintenance_at(engine, EVICTION_BATCH + 5, EVICTABLE_AGE + timedelta(minutes=1))
    assert len(queued) == EVICTION_BATCH * len(TIERS)


def test_an_index_with_room_evicts_nothing(engine: Engine) -> None:
    """Not even old pages are evicted."""
    build(engine, 5)
    assert run_maintenance_at(engine, 6, EVICTABLE_AGE * 2) == set()


def test_expired_pages_are_deleted_without_a_purge(engine: Engine) -> None:
    """No edge can serve an expired page."""
    build(engine, 2)
    assert run_maintenance_at(engine, 1, timedelta(days=901)) == set()
    with engine.connect() as connection:
        assert there(connection) == set()


def test_pages_deleted_while_the_clock_was_ahead_are_purged(engine: Engine) -> None:
    """Everything is purged once the clock is right, because caches may hold such pages."""
    build(engine, 2)
    assert run_maintenance_at(engine, 1, timedelta(days=901)) == set()
    assert run_maintenance_at(engine, 1, timedelta(days=901) - CLOCK_TOLERANCE) == set()
    assert run_maintenance_at(engine, 1) == {("gateway", ""), ("cdn", "")}
    with engine.connect() as connection:
        causes = set(connection.scalars(sa.select(outbox.c.cause)))
    assert causes == {"pages were deleted while the clock was ahead"}


def test_small_clock_differences_delete_no_live_page(engine: Engine) -> None:
    """Small differences between machines are normal."""
    build(engine, 2)
    assert run_maintenance_at(engine, 5, timedelta(days=900) + CLOCK_TOLERANCE) == set()
    with engine.connect() as connection:
        assert there(connection) == {"/1", "/2"}


def test_a_page_is_evicted_with_all_its_variants(engine: Engine) -> None:
    """All variants are deleted, because a purge affects all of them."""
    build(engine, 2)
    age(engine)
    with engine.begin() as connection:
        row = connection.execute(sa.select(pages).where(pages.c.url == "/1")).one()
        other = {**row._mapping, "id": 9, "variant": "json", "expires_at": row.expires_at + 9}
        connection.execute(sa.insert(pages).values(other))
    run_maintenance_at(engine, 2)
    with engine.connect() as connection:
        assert there(connection) == {"/2"}
