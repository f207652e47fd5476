"""What a client that asks for ever new addresses costs: log, outbox, room, and cold pages.

`python benchmarks/flood.py [--seconds 60] [--posts 10000] [--cold 2000] [--database URL]`. The app
runs in this process behind its gateway. No address is asked for twice, so every request is a
miss. `--database` names an empty PostgreSQL database; the default is SQLite in a temporary folder.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from flask import Flask
from support import apps, content
from support.content import Volume
from support.readers import path_of
from support.wsgi_client import ask

from app.edge.pages.group_commit import Registrar
from app.edge.pages.wal import empty_large_log, log_size
from app.edge.purge.tables import outbox
from app.extensions import alembic, db
from app.publishing.models import Post

MOST_PER_PAGE = 16 * 1024
MOST_LOG = 64 * 1024 * 1024
MOST_ENTRIES = 100
SPEED_UP = 1.5
CLIENTS = 4
COLD_CLIENTS = 16
SAMPLE = 300
STORED = 4000
Paths = Iterator[str]


@dataclass(slots=True)
class Clients:
    """Threads that each ask for the next address until the time or the addresses are over."""

    app: Flask
    paths: Paths
    outcomes: Counter[str] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, count: int, seconds: float | None = None) -> float:
        """Ask with so many threads; return how long it took."""
        began = time.perf_counter()
        until = None if seconds is None else began + seconds
        threads = [threading.Thread(target=self._work, args=(until,)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began

    def _work(self, until: float | None) -> None:
        while until is None or time.perf_counter() < until:
            with self._lock:
                path = next(self.paths, None)
            if path is None:
                return
            response = ask(self.app, path)
            is_stored = "no-store" not in response.headers.get("cache-control", "")
            with self._lock:
                self.outcomes["shared" if is_stored else "lost"] += 1


@dataclass(slots=True)
class LargestLog:
    """Looks at the size of SQLite's write-ahead log while something else runs."""

    app: Flask
    bytes: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)

    def during(self, work: Callable[[], Any]) -> int:
        """Do some work; return the largest size meanwhile."""
        with self.app.app_context():
            engine = db.engine
        thread = threading.Thread(target=self._look, args=(engine,))
        thread.start()
        try:
            work()
        finally:
            self._stop.set()
            thread.join()
        return self.bytes

    def _look(self, engine: Any) -> None:
        while not self._stop.wait(0.02):
            self.bytes = max(self.bytes, log_size(engine))


def unknown(prefix: str) -> Paths:
    """Addresses that name nothing."""
    number = 0
    while True:
        number += 1
        yield f"/{prefix}/{number}"


def searches(prefix: str) -> Paths:
    """Searches that nobody made before; every fourth finds posts."""
    number = 0
    while True:
        number += 1
        words = f"story+{number}" if number % 4 == 0 else f"{prefix}{number}"
        yield f"/search?q={words}"


def mixed(prefix: str) -> Paths:
    """Unknown addresses and searches in turn."""
    for pair in zip(unknown(prefix), searches(prefix), strict=False):
        yield from pair


def take(paths: Paths, count: int) -> Paths:
    """The first addresses."""
    return (path for _, path in zip(range(count), paths, strict=False))


def log_bytes(app: Flask, work: Callable[[], Any]) -> int:
    """How many bytes of write-ahead log some work writes.

    On SQLite an open reader keeps the log from starting again meanwhile.
    """
    with app.app_context():
        engine = db.engine
    empty_large_log(engine, 0)
    with engine.connect() as reader:
        if engine.dialect.name == "postgresql":
            position = sa.text("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")
            before = int(reader.scalar(position) or 0)
            work()
            return int(reader.scalar(position) or 0) - before
        reader.execute(sa.select(sa.func.count()).select_from(Post))
        before = log_size(engine)
        work()
        return log_size(engine) - before


def per_page(app: Flask, paths: Paths) -> float:
    """Bytes of log for each page of a kind, from one client."""
    clients = Clients(app, take(paths, SAMPLE))
    ask(app, next(paths))
    return log_bytes(app, lambda: clients.run(1)) / SAMPLE


def entries_of_an_edit(app: Flask) -> int:
    """How many purges are queued by an edit that touches every stored 404."""
    Clients(app, take(unknown("stored"), STORED)).run(CLIENTS)
    with app.app_context():
        count = sa.select(sa.func.count()).select_from(outbox)
        before = db.session.scalar(count) or 0
        post = db.session.scalars(sa.select(Post).order_by(Post.id.desc()).limit(1)).one()
        post.title = "Edited under a flood"
        db.session.commit()
        after = db.session.scalar(count) or 0
        db.session.remove()
    return after - before


def cold(app: Flask, first: int, count: int, *, grouped: bool) -> tuple[float, int]:
    """Cold pages a second from 16 clients, and how many of them were not registered."""
    tracker = app.extensions["edge"].tracker
    object.__setattr__(tracker, "registrar", Registrar(tracker.engine, grouped=grouped))
    paths = (path_of(content.slug(number)) for number in range(first, first + count))
    clients = Clients(app, iter(paths))
    took = clients.run(COLD_CLIENTS)
    return count / took, clients.outcomes["lost"]


def main() -> None:
    """Fill a site, flood it, and compare with the goals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--posts", type=int, default=10_000)
    parser.add_argument("--cold", type=int, default=2_000)
    parser.add_argument("--database", default="")
    options = parser.parse_args()
    failed = []

    def report(what: str, value: float, unit: str, most: float | None = None) -> None:
        goal = "" if most is None else f"  (at most {most:g})"
        print(f"{what:<60} {value:>10.1f} {unit}{goal}", flush=True)
        if most is not None and value > most:
            failed.append(what)

    with apps.folder() as place:
        site = place / "site"
        site.mkdir()
        settings = {"EDGE_INDEX_PAGES": 100_000}
        if options.database:
            settings["DATABASE_URL"] = options.database
        app = apps.real(site, **settings)
        with app.app_context():
            alembic.upgrade()
        content.fill(app, Volume(posts=options.posts, sentences=1))
        measure(app, options, report)
        apps.close(app)
    if failed:
        sys.exit("Not reached: " + "; ".join(failed))


def measure(app: Flask, options: argparse.Namespace, report: Callable[..., None]) -> None:
    """Run every part and report it."""
    kib = 1024
    most = MOST_PER_PAGE / kib
    for name, paths in (("404", unknown("sample")), ("search", searches("sample"))):
        bytes_per_page = per_page(app, paths) / kib
        report(f"log for a distinct {name}, one client", bytes_per_page, "KiB", most)
    sqlite = not options.database
    if sqlite:
        flood = Clients(app, mixed("flood"))
        largest = LargestLog(app).during(lambda: flood.run(CLIENTS, options.seconds))
        report(
            f"largest log in {options.seconds:g} s of misses, 4 clients",
            largest / kib / kib,
            "MiB",
            MOST_LOG / kib / kib,
        )
        report("  misses in that time", sum(flood.outcomes.values()), "")
    report(
        "purges queued by an edit under 4,000 stored 404s",
        entries_of_an_edit(app),
        "",
        MOST_ENTRIES,
    )
    half = options.cold // 2 if sqlite else options.cold
    first = 1
    rates: dict[bool, list[float]] = {True: [], False: []}
    lost_counts = Counter[bool]()
    for grouped in (False, True, False, True) if sqlite else (False,):
        rate, missing = cold(app, first, half, grouped=grouped)
        rates[grouped].append(rate)
        lost_counts[grouped] += missing
        first += half
    report("cold pages, a transaction each, 16 clients", max(rates[False]), "a second")
    report("  lost", lost_counts[False], "pages")
    if sqlite:
        report("cold pages, grouped, 16 clients", max(rates[True]), "a second")
        report("  lost", lost_counts[True], "pages", 0)
        kept_rates = {
            each: max(rates[each]) * (1 - lost_counts[each] / (2 * half)) for each in rates
        }
        report("pages kept in a second, grouped ÷ each", kept_rates[True] / kept_rates[False], "")
    rest = iter(path_of(content.slug(n)) for n in range(first, options.posts + 1))
    crawl = Clients(app, rest)
    if sqlite:
        largest = LargestLog(app).during(lambda: crawl.run(CLIENTS))
        report(
            "largest log in the first crawl of all posts",
            largest / kib / kib,
            "MiB",
            MOST_LOG / kib / kib,
        )
    else:
        bytes_per_page = log_bytes(app, lambda: crawl.run(CLIENTS))
        report(
            "log for a post of the first crawl",
            bytes_per_page / kib / max(options.posts - first, 1),
            "KiB",
        )


if __name__ == "__main__":
    main()
