"""A site whose process is killed at every statement it sends, and edges that remember.

Run as `python -m …crash_child URL FOLDER ROUNDS`: it forks a child per round, kills it, starts the next
one on the same database, and finally compares the edges with the database. Prints the result.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine

from app.edge.cdn import CallLimits, PurgeTarget
from app.edge.purge import EntryState, Relay, Tier
from app.edge.purge.file_leader import SoleLeader
from app.edge.purge.tables import outbox

from .conftest import NOW, Clock, build, connect, create_runtime, post

POSTS = 4
GATEWAY = Tier(name="gateway", depth=0)
CDN = Tier(name="cdn", depth=1, max_flight_time=timedelta(seconds=30))
STATEMENTS = 150
"""Fewer statements than a child executes."""


class FileEdge:
    """An edge in a file: each line is the version of a page that it fetched after a purge."""

    limits = CallLimits(batch=3)

    def __init__(self, path: Path, inner: FileEdge | None, engine: Engine) -> None:
        self._path = path
        self._inner = inner
        self._engine = engine

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Fetch these pages again, from the inner edge or from the database."""
        for target in targets:
            self._fetch(target.url)

    def purge_everything(self) -> None:
        """Fetch every page again."""
        for number in range(1, POSTS + 1):
            self._fetch(f"/{number}")

    def stored_versions(self) -> dict[str, int]:
        """Return the last fetched version of each page."""
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        return {url: int(version) for url, version in map(str.split, lines)}

    def _fetch(self, url: str) -> None:
        version = self._inner.stored_versions().get(url, 0) if self._inner else self._now()[url]
        with self._path.open("a") as log:
            log.write(f"{url} {version}\n")

    def _now(self) -> dict[str, int]:
        with self._engine.connect() as connection:
            return {f"/{row.id}": row.version for row in connection.execute(sa.select(post))}


def edges(engine: Engine, folder: Path) -> dict[Tier, Any]:
    """The gateway, and the CDN in front of it."""
    gateway = FileEdge(folder / "gateway", None, engine)
    return {GATEWAY: gateway, CDN: FileEdge(folder / "cdn", gateway, engine)}


def live(url: str, folder: Path, now: datetime, dies_at: int, seed: int) -> None:
    """Write and relay, and be killed at a statement or a step between them."""
    engine, random, remaining = connect(url), Random(seed), [dies_at]

    def count(*_arguments: Any, **_more: Any) -> None:
        remaining[0] -= 1
        if not remaining[0]:
            os.kill(os.getpid(), signal.SIGKILL)

    for name in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(engine, name, count)
    clock = Clock(now=now)
    tiers = edges(connect(url), folder)
    relay = Relay(engine, tiers, leader=SoleLeader(), runtime=create_runtime(clock, count))
    for turn in range(3):
        with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            some = random.sample(range(1, POSTS + 1), 2)
            bump = sa.update(post).values(version=post.c.version + 1)
            connection.execute(bump.where(post.c.id.in_(some)))
        if turn != 1:
            relay.flush(clock.now)
        relay.run_once(clock.now)
        clock.advance(CDN.max_flight_time)
    relay.run_once(clock.now)
    os._exit(0)


def rounds(url: str, folder: Path, count: int) -> tuple[datetime, int]:
    """Kill a child per round: at a statement of its own, or when chance says so."""
    random, now, killed = Random(5), NOW, 0
    for number in range(count):
        by_chance = number % 5 == 4
        dies_at = 10**9 if by_chance else 1 + (number * 7) % STATEMENTS
        child = os.fork()
        if not child:
            live(url, folder, now, dies_at, number)
        if by_chance:
            time.sleep(random.uniform(0.0, 0.06))
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        killed += os.WIFSIGNALED(status)
        now += timedelta(minutes=3)
    return now, killed


def recover(url: str, folder: Path, now: datetime) -> dict[str, Any]:
    """Run a relay for some minutes; return the versions at the edges and the open entries."""
    engine, clock = connect(url), Clock(now=now)
    tiers = edges(engine, folder)
    relay = Relay(engine, tiers, leader=SoleLeader(), runtime=create_runtime(clock))
    for _ in range(6):
        relay.run_once(clock.now)
        clock.advance(timedelta(minutes=1))
    with engine.connect() as connection:
        current = {f"/{row.id}": row.version for row in connection.execute(sa.select(post))}
        unsettled = connection.scalar(
            sa.select(sa.func.count()).where(outbox.c.state != EntryState.SETTLED),
        )
    engine.dispose()
    stored_versions = {tier.name: edge.stored_versions() for tier, edge in tiers.items()}
    return {"current": current, "kept": stored_versions, "unsettled": unsettled}


def main(url: str, folder: str, count: str) -> None:
    """Run all rounds; the parent holds no connection while it forks."""
    engine = connect(url)
    build(engine, POSTS)
    engine.dispose()
    now, killed = rounds(url, Path(folder), int(count))
    sys.stdout.write(json.dumps(recover(url, Path(folder), now) | {"killed": killed}))


if __name__ == "__main__":
    main(*sys.argv[1:])
