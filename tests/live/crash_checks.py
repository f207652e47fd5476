"""What must hold when a process of the site was killed, wherever that was: nothing lost, all sound."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import brotli
import sqlalchemy as sa

from app.edge.changes.log import count_unresolved
from app.edge.gateway.store.lmdb.counters import StoreCounters
from app.edge.gateway.store.lmdb.entry import CacheEntry
from app.edge.gateway.store.lmdb.folder import StoreFolder
from app.edge.gateway.store.lmdb.transaction import serial_key
from app.edge.http.cache_key import parse_cache_key
from app.edge.pages.tables import page
from app.edge.purge.entry_state import OPEN_STATES
from app.edge.purge.tables import outbox
from app.extensions import db

from .crash_site import PATHS, Mortal, Page

CODINGS = {"identity": bytes, "br": brotli.decompress, "gzip": gzip.decompress}
DEAD_LEASE = timedelta(seconds=3)
"""After which nobody waits any more for what a dead process had claimed."""

TURN, TURNS = timedelta(seconds=70), 6
"""So often at most a relay looks in a round, and a claim of a dead process is over by then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was there when the round began, and what is known of the process that died in it."""

    number: int
    committed: bool
    pages: Mapping[str, Page]
    purged: int


@dataclass(slots=True)
class Verdict:
    """What is wrong, in sentences; what readers ought to get, and how much was there to judge."""

    wrong: list[str] = field(default_factory=list)
    pages: dict[str, Page] = field(default_factory=dict, repr=False)
    entry_count: int = 0
    is_written: bool = False
    changed_count: int = 0
    incarnation: int = 0


def judge(mortal: Mortal, before: Before, *, survivor: bool) -> Verdict:
    """Look at everything; a survivor has served all the time, others begin with the first answer."""
    verdict, began = Verdict(), mortal.clock()
    if survivor:
        mortal.step(began + DEAD_LEASE)
    shown_pages = {path: mortal.ask(path) for path in PATHS}
    if not survivor:
        mortal.step(began + DEAD_LEASE)
    verdict.pages = {path: mortal.truth(path) for path in PATHS}
    verdict.wrong += [
        f"{path} is old" for path in PATHS if shown_pages[path] != verdict.pages[path]
    ]
    verdict.changed_count = sum(verdict.pages[path] != before.pages[path] for path in PATHS)
    with mortal.site.app_context():
        verdict.wrong += find_lost_write(verdict, before)
        verdict.wrong += _unpaid(mortal)
        verdict.wrong += _unsound_database()
    verdict.wrong += _unpurged(mortal, verdict, before)
    verdict.wrong += _unsound_store(mortal, verdict)
    return verdict


def find_lost_write(verdict: Verdict, before: Before) -> Iterator[str]:
    """A commit that was reported is there; what was not committed has changed nothing."""
    query = "SELECT count(*) FROM post WHERE title = :title"
    title = f"Round {before.number}"
    with db.engine.connect() as connection:
        verdict.is_written = bool(connection.scalar(sa.text(query), {"title": title}))
    if before.committed and not verdict.is_written:
        yield "what was committed is gone"
    if not verdict.is_written and verdict.changed_count:
        yield "what was not committed is there"


def _unpaid(mortal: Mortal) -> Iterator[str]:
    """A relay that goes on pays all that is owed, and nothing is given up."""
    now = mortal.clock()
    for _ in range(TURNS):
        with db.engine.connect() as connection:
            count = sa.select(sa.func.count()).where(outbox.c.state.in_(OPEN_STATES))
            pending_count = (connection.scalar(count) or 0) + count_unresolved(connection)
        if not pending_count:
            return
        now += TURN
        mortal.step(now)
    yield f"{pending_count} purges or changes are still open"


def _unsound_database() -> Iterator[str]:
    """SQLite finds nothing amiss in its own file."""
    with db.engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            check_result = connection.exec_driver_sql("PRAGMA quick_check").scalar_one()
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if check_result != "ok" or broken:
                yield f"the database is damaged: {check_result}, {broken}"


def _unpurged(mortal: Mortal, verdict: Verdict, before: Before) -> Iterator[str]:
    """The CDN heard of every page that has changed, and again when nothing was on its way."""
    lines = mortal.edge.file.read_text().splitlines()[before.purged :]
    purge_times: dict[str, list[datetime]] = {}
    for at, _, url in (line.partition(" ") for line in lines):
        purge_times.setdefault(url, []).append(datetime.fromisoformat(at))
    for path in PATHS:
        if verdict.pages[path] != before.pages[path]:
            times = [*purge_times.get(path, ()), *purge_times.get("*", ())]
            if not times:
                yield f"{path} was never purged at the CDN"
            elif max(times) - min(times) < mortal.flight:
                yield f"{path} was not purged again at the CDN"


def _unsound_store(mortal: Mortal, verdict: Verdict) -> Iterator[str]:
    """Every page of the store's file is in order; what is kept is whole, fresh and registered."""
    store = mortal.site.extensions["edge"].embedded_gateway.store
    try:
        StoreFolder(path=store._manager._folder.path).verify_pages()
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what we look for
        yield f"the store's file is damaged: {error}"
    environment = store._manager.acquire()
    verdict.incarnation = environment.incarnation
    with environment.read_transaction() as transaction:
        tables = (environment.pages, environment.bodies, environment.eviction_order)
        pages, bodies, order = (dict(transaction.cursor(db=table)) for table in tables)
        ledger = StoreCounters.load(environment, transaction)
    records = {name: CacheEntry.parse(data) for name, data in pages.items()}
    if None in records.values():
        yield "a record of the store is torn"
        return
    whole = {name: record for name, record in records.items() if record is not None}
    verdict.entry_count = len(whole)
    turns = {serial_key(record.eviction_serial): name for name, record in whole.items()}
    variants = [one for record in whole.values() for one in record.variants]
    serial_counts = Counter(
        serial_key(p.serial) for one in variants for p in one.body_refs.values()
    )
    if (
        turns != order
        or ledger.variants != len(variants)
        or serial_counts != Counter(bodies.keys())
    ):
        yield "the tables of the store contradict one another"
    yield from _unlike(mortal, verdict, whole.values(), bodies)


def _unlike(
    mortal: Mortal, verdict: Verdict, records: Any, bodies: Mapping[bytes, bytes]
) -> Iterator[str]:
    """What is kept in any coding is what a fresh render gives, and the index knows of it."""
    with mortal.site.app_context(), db.engine.connect() as connection:
        registered_urls = set(connection.scalars(sa.select(page.c.url)))
    for record in records:
        _, path, _ = parse_cache_key(record.key)
        if path not in registered_urls:
            yield f"{path} is kept, but not registered"
        for variant in record.variants:
            for coding, place in variant.body_refs.items():
                body = bodies.get(serial_key(place.serial), b"")
                if not place.matches(body):
                    yield f"the body of {path} in {coding} is torn"
                elif path in verdict.pages and CODINGS[coding](body) != verdict.pages[path][2]:
                    yield f"{path} is kept in {coding} as it was"
