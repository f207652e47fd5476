"""Sampling: now and then a page at the public edge is compared with a fresh one.

The only host that is ever asked is the site's own. What is stale is purged again on every tier.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from threading import Lock, Thread
from typing import TYPE_CHECKING

from ..changes.log import append
from ..drivers import PurgeError
from ..drivers.channel import Channel
from ..index.resolve import asked_for
from ..purge import samples
from ..settings import number
from .rehearsing import Rehearsed, rehearsed
from .responses import PURGED_KEY

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Connection

    from ..purge.relay import Hook
    from .tracking import Tracker

_log = logging.getLogger(__name__)

_AGENT = {"User-Agent": "Broadsheet-Sampler (compares this site's edge with its origin)"}
_COMPARED = frozenset({200, 404, 410})
_NO_ANSWER = frozenset({401, 403, 407, 408, 425, 429})
_FAILED = 500


class Verdict(StrEnum):
    """What a look at one page came to; the value is how it is said."""

    FRESH = "is fresh"
    STALE = "is stale, and is purged again"
    UNKNOWN = "could not be compared"


class Sampler:
    """Looks at a page each `every`; a thread of its own does it, for an edge may hang."""

    def __init__(
        self,
        app: Flask,
        tracker: Tracker,
        *,
        every: timedelta,
        random: Random | None = None,
    ) -> None:
        self._app = app
        self._tracker = tracker
        self._every = every
        self._random = random or Random()  # noqa: S311 - which page comes next is no secret
        self._edge = Channel("the public edge", tracker.site)
        self._next: datetime | None = None
        self._looking = Lock()

    def __call__(self, now: datetime) -> datetime:
        """Look, if it is time to; say when it is time again."""
        if self._next is None:
            self._next = now + self._every  # a site that has just started is not asked yet
        if now >= self._next and not self._looking.locked():
            self._next = now + self._every
            Thread(target=self._in_peace, args=(now,), daemon=True).start()
        return max(self._next, now + timedelta(seconds=1))

    def sample(self, now: datetime) -> dict[str, Verdict]:
        """Look at the page that is known to be stale and at any other one."""
        with self._tracker.reading() as connection:
            urls = [*samples.chosen(connection, now, self._random)]
        return {url: self.look(url, now) for url in urls}

    def look(self, url: str, now: datetime) -> Verdict:
        """Compare one page, and act on what is found."""
        verdict, why = self._compared(url, now)
        if verdict is Verdict.STALE:
            tag = self._tracker.tag(url)
            with self._tracker.logging() as connection:
                append(connection, asked_for(url, tag))
            _log.warning("edge.stale", extra={"url": url})
        with self._tracker.writing() as connection:
            self._note(connection, url, verdict, now)
            said = f"{verdict}: {why}" if why else f"{verdict}"
            samples.say(connection, f"Sampled at {now:%Y-%m-%d %H:%M:%S} UTC: {url} {said}.")
        return verdict

    def _note(self, connection: Connection, url: str, verdict: Verdict, now: datetime) -> None:
        if verdict is Verdict.STALE:
            samples.note_stale(connection, url, now)
        elif verdict is Verdict.FRESH and samples.note_fresh(connection, url, now):
            _log.warning("edge.fresh_again", extra={"url": url})

    def _compared(self, url: str, now: datetime) -> tuple[Verdict, str]:
        fresh = self._fresh(url)
        if fresh.leak or not fresh.environ.get(PURGED_KEY) or fresh.status not in _COMPARED:
            return Verdict.UNKNOWN, f"a fresh one answers {fresh.status} and can't be kept"
        try:
            seen = self._edge.ask("GET", url, headers=_AGENT)
        except PurgeError as error:
            return Verdict.UNKNOWN, str(error)
        if seen.status in _NO_ANSWER or seen.status >= _FAILED:
            return Verdict.UNKNOWN, f"the edge answers {seen.status}"
        if (seen.status, seen.body) == (fresh.status, fresh.body):
            return Verdict.FRESH, ""
        excuse = self._excuse(url, fresh, now)
        return (Verdict.UNKNOWN if excuse else Verdict.STALE), excuse

    def _excuse(self, url: str, fresh: Rehearsed, now: datetime) -> str:
        """Say why a page may differ for a good reason; empty if there is none."""
        if self._fresh(url) != fresh:
            return "it changes while it is looked at"
        with self._tracker.reading() as connection:
            waits = samples.under_way(connection, url, now - self._tracker.front.grace)
        return "it differs, and a purge is under way" if waits else ""

    def _fresh(self, url: str) -> Rehearsed:
        return rehearsed(self._app, url, self._tracker.site)

    def _in_peace(self, now: datetime) -> None:
        with self._looking:
            try:
                self.sample(now)
            except Exception:  # noqa: BLE001 - the next one may do better
                _log.exception("edge.sample_failed")


def sampling(app: Flask, tracker: Tracker) -> tuple[Hook, ...]:
    """What the relay calls to sample; nothing where no edge in front is purged."""
    every = timedelta(seconds=number(app.config, "EDGE_SAMPLE_EVERY"))
    return (Sampler(app, tracker, every=every),) if every and tracker.front.tiers else ()


def degraded(app: Flask) -> str | None:
    """Say which pages are known to be stale at the public edge; None when none is."""
    tracker: Tracker | None = app.extensions["edge"].tracker
    if tracker is None or not tracker.front.tiers:
        return None
    with tracker.reading() as connection:
        found = [page.url for page in samples.stale(connection) if page.until is None]
    if not found:
        return None
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"A page is stale at the public edge: {found[0]}{more}."
