"""A small site whose clock is told what time it is, and what one of its processes does in its life."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module
from itertools import cycle, islice
from pathlib import Path
from typing import ClassVar

from flask import Flask

from app import create_app
from app.config.parsers import database_url
from app.edge.cdn import CallLimits, PurgeTarget
from app.edge.changes import log
from app.edge.purge import maintenance
from app.extensions import db, edge
from app.publishing.models import Kind, Status
from tests.site import content

from .programs import PACKED

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
ROUND = timedelta(minutes=10)
"""The time from one death to the next, in which all is done that is owed."""

CDN = "fastly"
HOME = "http://localhost"
PATHS = (
    "/",
    "/articles/ash",
    "/articles/birch",
    "/topics/maps",
    "/feed.xml",
)
VISITED = 3
Page = tuple[int, str, bytes]

COMES_AND_GOES = "CASE status WHEN 'published' THEN 'archived' ELSE 'published' END"

WRITES: dict[str, Callable[[int], Sequence[str]]] = {
    "a title": lambda n: [f"UPDATE site SET title = 'Title {n}'"],
    "a body": lambda n: [f"UPDATE post SET body_html = '<p>Text {n}</p>' WHERE slug = 'ash'"],
    "a post that comes and goes": lambda _: [
        f"UPDATE post SET status = {COMES_AND_GOES} WHERE slug = 'birch'",
    ],
    "a link": lambda n: [
        "DELETE FROM post_topic WHERE post_id = 1",
        *(["INSERT INTO post_topic (post_id, topic_id, position) VALUES (1, 1, 0)"] * (n % 2)),
    ],
    "a topic": lambda n: [f"UPDATE topic SET name = 'Maps {n}'"],
    "every post": lambda n: [f"UPDATE post SET summary = 'Summary {n}' WHERE slug <> 'tally'"],
}
"""What an editor writes in a round, by what it is; it fits both databases."""


@dataclass(slots=True)
class Clock:
    """Shows an instant, and goes on from there."""

    current: datetime = EPOCH
    since: float = 0.0

    def set(self, now: datetime) -> None:
        """Show this."""
        self.current, self.since = now, time.monotonic()

    def __call__(self) -> datetime:
        """The instant that it shows."""
        return self.current + timedelta(seconds=time.monotonic() - self.since)


@dataclass(frozen=True, slots=True)
class FileEdge:
    """An edge that writes down what it has forgotten, and when; it outlives whoever told it."""

    file: Path
    clock: Callable[[], datetime]
    limits: ClassVar[CallLimits] = CallLimits(batch=5)

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Forget these pages."""
        self._note(*(target.url for target in targets))

    def purge_everything(self) -> None:
        """Forget all pages."""
        self._note("*")

    def purge_count(self) -> int:
        """How many lines it has written."""
        return len(self.file.read_bytes().splitlines())

    def _note(self, *urls: str) -> None:
        lines = "".join(f"{self.clock().isoformat()} {url}\n" for url in urls)
        with self.file.open("ab", buffering=0) as file:
            file.write(lines.encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Mortal:
    """The site with its gateway, and the same without, which tells what is fresh."""

    site: Flask
    fresh: Flask
    clock: Clock
    edge: FileEdge

    @classmethod
    def born(cls, folder: Path, database: str) -> Mortal:
        """Make the apps over an empty database, and write something into it."""
        # Small numbers, or nothing would ever be trimmed, and nothing be too much.
        log.KEEP_RESOLVED, maintenance.KEEP_SETTLED = 20, timedelta(0)
        # As a module: the package exports a function of the same name.
        vars(import_module("app.edge.pages.resolve"))["MAX_CHANGES"] = 6
        clock = Clock()
        cdn = FileEdge(folder / "cdn", clock)
        cdn.file.touch()
        edge.init_app = partial(edge.init_app, clock=clock)  # type: ignore[method-assign]
        edge.track = partial(edge.track, drivers=lambda _: cdn)  # type: ignore[method-assign]
        own = {"INSTANCE": str(folder), "SECRET_KEY": "x", "EDGE_RELAY": False, "TESTING": True}
        own |= {"EDGE_BUILD": str(PACKED), "DATABASE_URL": database_url(database), "EDGE": CDN}
        own |= {"EDGE_REFILL": False, "SITE_URL": HOME}
        site = create_app({**own, "EDGE_GATEWAY": True})
        fresh = create_app({**own, "EDGE_GATEWAY": False})
        fresh.extensions["edge"].tracker = None
        return cls(site=site, fresh=fresh, clock=clock, edge=cdn)

    def write_all(self) -> None:
        """The first content, and every page asked for once: what follows finds it warm."""
        self.clock.set(EPOCH)
        with self.site.app_context():
            content.settings()
            for number, name in enumerate(("ash", "birch", "cedar", "elm", "fir", "gean", "hazel")):
                content.post(name, at=content.day(number), topics=["Maps"])
            content.post("about", kind=Kind.PAGE)
            content.post("tally", status=Status.DRAFT)
        for _ in range(2):
            for path in PATHS:
                assert self.ask(path) == self.truth(path)
        self.let_go()

    def let_go(self) -> None:
        """Hold no connection: neither is to be carried into a child."""
        for app in (self.site, self.fresh):
            with app.app_context():
                db.session.remove()
                db.engine.dispose()

    def ask(self, path: str) -> Page:
        """What a reader gets."""
        return _request_page(self.site, path)

    def truth(self, path: str) -> Page:
        """What a reader ought to get."""
        return _request_page(self.fresh, path)

    @property
    def flight(self) -> timedelta:
        """The longest time that an old page may be on its way to the CDN."""
        (tier,) = self.site.extensions["edge"].edge_chain.tiers
        return tier.max_flight_time  # type: ignore[no-any-return]

    def step(self, now: datetime) -> timedelta:
        """Let the relay of this process do what is due at an instant; say how long nothing is."""
        self.clock.set(now)
        wait: timedelta = self.site.extensions["edge"].worker.relay.run_once(now)
        return wait

    def write(self, number: int, write: str) -> None:
        """Write what an editor does; when that returns the gateway has heard of it."""
        tally = f"UPDATE post SET title = 'Round {number}' WHERE slug = 'tally'"
        with self.site.app_context(), db.engine.begin() as connection:
            for statement in (*WRITES[write](number), tally):
                connection.exec_driver_sql(statement)

    def live(self, number: int, write: str) -> None:
        """Write, read some of what was purged, and take all to the CDN."""
        self.write(number, write)
        for path in islice(cycle(PATHS), number, number + VISITED):
            self.ask(path)
        now = self.clock()
        for wait in (timedelta(0), timedelta(seconds=2), 2 * self.flight):
            now += wait
            self.step(now)


def _request_page(app: Flask, path: str) -> Page:
    answer = app.test_client().get(path)
    return answer.status_code, answer.headers.get("Location", ""), answer.data


def ended(child: int) -> int:
    """Wait for a child; return the signal that killed it, or 0."""
    return -min(0, os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
