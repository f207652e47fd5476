"""Sampling: now and then a page at the public edge is compared with a fresh one.

The only host that is ever asked is the site's own. What is stale is purged again on every tier;
what the edge merely rewrites is said once, and not purged (`purge/rewriting.py`).
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from threading import Lock, Thread
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ..changes.log import append
from ..drivers import PurgeError
from ..drivers.channel import Channel
from ..index.resolve import asked_for
from ..purge import samples
from ..purge.rewriting import (
    Kinds,
    Memory,
    differences,
    recall,
    remember,
    rewritten_by_etag,
)
from ..settings import number
from .rehearsing import Rehearsed, rehearsed
from .responses import PURGED_KEY

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Connection

    from ..drivers.channel import Answer
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
    REWRITTEN = "is rewritten by the public edge"
    UNKNOWN = "could not be compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What a comparison came to, why, and how the page differed."""

    verdict: Verdict
    reason: str = ""
    kinds: Kinds = frozenset()


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
        found = self._compared(url, now)
        verdict = found.verdict
        if verdict is Verdict.STALE:
            tag = self._tracker.tag(url)
            with self._tracker.logging() as connection:
                append(connection, asked_for(url, tag, self._tracker.site))
            _log.warning("edge.stale", extra={"url": url})
        with self._tracker.writing() as connection:
            self._note(connection, url, found, now)
            said = f"{verdict}: {found.reason}" if found.reason else f"{verdict}"
            samples.say(connection, f"Sampled at {now:%Y-%m-%d %H:%M:%S} UTC: {url} {said}.")
        return verdict

    def _note(self, connection: Connection, url: str, found: Comparison, now: datetime) -> None:
        memory = before = recall(connection)
        if found.verdict is Verdict.STALE:
            samples.note_stale(connection, url, now)
            memory = before.with_suspicion(url, found.kinds, now)
        elif found.verdict is Verdict.REWRITTEN:
            samples.note_rewritten(connection, url)
            memory = before.with_rewritten(url, found.kinds)
            _warn_once(before, url)
        elif found.verdict is Verdict.FRESH:
            memory = before.with_fresh(url)
            if samples.note_fresh(connection, url, now):
                _log.warning("edge.fresh_again", extra={"url": url})
        if memory != before:
            remember(connection, memory)

    def _compared(self, url: str, now: datetime) -> Comparison:
        fresh = self._fresh(url)
        if fresh.leak or not fresh.environ.get(PURGED_KEY) or fresh.status not in _COMPARED:
            reason = f"a fresh one answers {fresh.status} and can't be kept"
            return Comparison(verdict=Verdict.UNKNOWN, reason=reason)
        try:
            seen = self._edge.ask("GET", url, headers=_AGENT)
        except PurgeError as error:
            return Comparison(verdict=Verdict.UNKNOWN, reason=str(error))
        if seen.status in _NO_ANSWER or seen.status >= _FAILED:
            reason = f"the edge answers {seen.status}"
            return Comparison(verdict=Verdict.UNKNOWN, reason=reason)
        if (seen.status, seen.body) == (fresh.status, fresh.body):
            return Comparison(verdict=Verdict.FRESH)
        if reason := self._excuse(url, fresh, now):
            return Comparison(verdict=Verdict.UNKNOWN, reason=reason)
        return self._judged(url, fresh, seen, now)

    def _judged(self, url: str, fresh: Rehearsed, seen: Answer, now: datetime) -> Comparison:
        """Tell a page that the edge has rewritten from one that is stale."""
        if seen.status != fresh.status:
            return Comparison(verdict=Verdict.STALE)
        kinds = differences(fresh.body, seen.body)
        with self._tracker.reading() as connection:
            memory = recall(connection)
        etag = fresh.record.etag if fresh.record is not None else ""
        rewritten = rewritten_by_etag(etag, fresh.body, seen.headers.get("ETag", ""))
        if rewritten is None:
            before = memory.differed_so(url, kinds)
            made_since = before is not None and _made_since(seen, before.at, now)
            rewritten = memory.explains(kinds) or (
                made_since and self._differs_under_another_url(url, fresh, kinds)
            )
        verdict = Verdict.REWRITTEN if rewritten else Verdict.STALE
        return Comparison(verdict=verdict, kinds=kinds)

    def _differs_under_another_url(self, url: str, fresh: Rehearsed, kinds: Kinds) -> bool:
        """Tell whether the page differs alike where an edge that keys the query string has no copy.

        A stale page is right there. An edge that ignores trackers answers as before, and so tells
        nothing against rewriting.
        """
        mark = "&" if "?" in url else "?"
        other = f"{url}{mark}utm_source=edge-sample-{self._random.getrandbits(64):x}"
        try:
            seen = self._edge.ask("GET", other, headers=_AGENT)
        except PurgeError:
            return True
        if seen.status != fresh.status:
            return True
        return differences(fresh.body, seen.body) == kinds

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


def _made_since(seen: Answer, at: datetime, now: datetime) -> bool:
    """Tell whether an edge may have fetched its answer after an instant, as far as Age tells."""
    age = seen.headers.get("Age", "").strip()
    if not (age.isascii() and age.isdecimal()):
        return True
    return now - timedelta(seconds=int(age[:9])) >= at


def _warn_once(before: Memory, url: str) -> None:
    """Log the finding for the first page that is found rewritten, and for no other."""
    if not before.pages:
        sentence = "edge.rewritten: the public edge changes pages on their way, %s for one"
        _log.warning(sentence, url, extra={"finding": "rewritten", "url": url})


def sampling(app: Flask, tracker: Tracker) -> tuple[Hook, ...]:
    """What the relay calls to sample; nothing where no edge in front is purged."""
    every = timedelta(seconds=number(app.config, "EDGE_SAMPLE_EVERY"))
    return (Sampler(app, tracker, every=every),) if every and tracker.front.tiers else ()


def rewritten_pages(app: Flask) -> str:
    """Say which pages the public edge rewrites; empty when none is known, or nobody can ask."""
    tracker: Tracker | None = app.extensions["edge"].tracker
    if tracker is None:
        return ""
    try:
        with tracker.reading() as connection:
            return recall(connection).words()
    except sa.exc.DBAPIError:
        return ""


def stale_page(tracker: Tracker, connection: Connection) -> str | None:
    """Say which pages are known to be stale at the public edge; None when none is."""
    if not tracker.front.tiers:
        return None
    found = [page.url for page in samples.stale(connection) if page.until is None]
    if not found:
        return None
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return f"A page is stale at the public edge: {found[0]}{more}."
