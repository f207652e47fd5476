"""Compare sampled pages at the public edge with fresh renders.

Requests go to the site's own host only. A stale page is purged again at every tier. A page that
the edge rewrites is logged once and not purged (`purge/rewriting.py`).
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

from ..cdn import PurgeError
from ..changes.log import append_change
from ..name import TITLE
from ..pages.resolve import manual_purge_change
from ..purge import samples
from ..purge.rewriting import (
    Kinds,
    Memory,
    differences,
    load_memory,
    rewritten_by_etag,
    store_memory,
)
from ..settings import read_number
from .dry_run import DryRunResult, dry_run
from .response import PURGED_KEY
from .state import state_of

if TYPE_CHECKING:
    from flask import Flask
    from sqlalchemy.engine import Connection

    from ..cdn.api_client import ApiResponse
    from ..purge.relay import RelayHook
    from .tracking import Tracker

_log = logging.getLogger(__name__)

_AGENT = {"User-Agent": f"{TITLE}-Sampler (compares this site's edge with its origin)"}
_COMPARED = frozenset({200, 404, 410})
_NO_ANSWER = frozenset({401, 403, 407, 408, 425, 429})
_FAILED = 500


class SampleResult(StrEnum):
    """The result of comparing one page; the value is the text shown to people."""

    FRESH = "is fresh"
    STALE = "is stale, and is purged again"
    REWRITTEN = "is rewritten by the public edge"
    UNKNOWN = "could not be compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """The result of a comparison, its reason, and the kinds of differences."""

    verdict: SampleResult
    reason: str = ""
    kinds: Kinds = frozenset()


class Sampler:
    """Compares pages at the interval `every`, in a thread, because an edge may not answer."""

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
        self._random = random or Random()  # noqa: S311 - the choice of a page needs no secrecy
        from ..cdn.api_client import ApiClient  # noqa: PLC0415 - with the level [cdn]

        self._edge = ApiClient("the public edge", tracker.site)
        self._next: datetime | None = None
        self._lock = Lock()

    def __call__(self, now: datetime) -> datetime:
        """Start a sample if one is due; return when the next is due."""
        if self._next is None:
            self._next = now + self._every  # not right after the start
        if now >= self._next and not self._lock.locked():
            self._next = now + self._every
            Thread(target=self._sample_in_thread, args=(now,), daemon=True).start()
        return max(self._next, now + timedelta(seconds=1))

    def sample(self, now: datetime) -> dict[str, SampleResult]:
        """Compare the page that is known to be stale, and a random other page."""
        with self._tracker.read_transaction() as connection:
            urls = [*samples.choose_urls(connection, now, self._random)]
        return {url: self.sample_page(url, now) for url in urls}

    def sample_page(self, url: str, now: datetime) -> SampleResult:
        """Compare one page; purge it again if it is stale, and store the result."""
        comparison = self._compare(url, now)
        verdict = comparison.verdict
        if verdict is SampleResult.STALE:
            tag = self._tracker.tag(url)
            with self._tracker.change_log_transaction() as connection:
                append_change(connection, manual_purge_change(url, tag, self._tracker.site))
            _log.warning("edge.stale: %s is stale at the public edge", url, extra={"url": url})
        with self._tracker.index_transaction() as connection:
            self._store_result(connection, url, comparison, now)
            result_text = f"{verdict}: {comparison.reason}" if comparison.reason else f"{verdict}"
            samples.set_last_result(
                connection, f"Sampled at {now:%Y-%m-%d %H:%M:%S} UTC: {url} {result_text}."
            )
        return verdict

    def _store_result(
        self, connection: Connection, url: str, comparison: Comparison, now: datetime
    ) -> None:
        memory = before = load_memory(connection)
        if comparison.verdict is SampleResult.STALE:
            samples.record_stale(connection, url, now)
            memory = before.with_suspicion(url, comparison.kinds, now)
        elif comparison.verdict is SampleResult.REWRITTEN:
            samples.delete_stale_sample(connection, url)
            memory = before.with_rewritten(url, comparison.kinds)
            _warn_once(before, url)
        elif comparison.verdict is SampleResult.FRESH:
            memory = before.with_fresh(url)
            if samples.record_fresh(connection, url, now):
                message = "edge.fresh_again: %s is fresh again at the public edge"
                _log.warning(message, url, extra={"url": url})
        if memory != before:
            store_memory(connection, memory)

    def _compare(self, url: str, now: datetime) -> Comparison:
        fresh = self._fresh(url)
        if fresh.leak or not fresh.environ.get(PURGED_KEY) or fresh.status not in _COMPARED:
            reason = f"a fresh render has status {fresh.status} and can't be stored"
            return Comparison(verdict=SampleResult.UNKNOWN, reason=reason)
        try:
            edge_response = self._edge.request("GET", url, headers=_AGENT)
        except PurgeError as error:
            return Comparison(verdict=SampleResult.UNKNOWN, reason=str(error))
        if edge_response.status in _NO_ANSWER or edge_response.status >= _FAILED:
            reason = f"the edge answers with status {edge_response.status}"
            return Comparison(verdict=SampleResult.UNKNOWN, reason=reason)
        if (edge_response.status, edge_response.body) == (fresh.status, fresh.body):
            return Comparison(verdict=SampleResult.FRESH)
        if reason := self._explain_difference(url, fresh, now):
            return Comparison(verdict=SampleResult.UNKNOWN, reason=reason)
        return self._classify_difference(url, fresh, edge_response, now)

    def _classify_difference(
        self, url: str, fresh: DryRunResult, edge_response: ApiResponse, now: datetime
    ) -> Comparison:
        """Decide whether a different page is rewritten by the edge or stale."""
        if edge_response.status != fresh.status:
            return Comparison(verdict=SampleResult.STALE)
        kinds = differences(fresh.body, edge_response.body)
        with self._tracker.read_transaction() as connection:
            memory = load_memory(connection)
        etag = fresh.record.etag if fresh.record is not None else ""
        rewritten = rewritten_by_etag(etag, fresh.body, edge_response.headers.get("ETag", ""))
        if rewritten is None:
            before = memory.suspicion_of_same(url, kinds)
            made_since = before is not None and _may_be_fetched_since(edge_response, before.at, now)
            rewritten = memory.explains(kinds) or (
                made_since and self._differs_under_another_url(url, fresh, kinds)
            )
        verdict = SampleResult.REWRITTEN if rewritten else SampleResult.STALE
        return Comparison(verdict=verdict, kinds=kinds)

    def _differs_under_another_url(self, url: str, fresh: DryRunResult, kinds: Kinds) -> bool:
        """Return whether the page differs in the same way under a URL that the edge has not stored.

        If the edge keys on the query string, it fetches that URL; a page that was only stale is
        then fresh. An edge that ignores tracking parameters answers as before.
        """
        separator = "&" if "?" in url else "?"
        other = f"{url}{separator}utm_source=edge-sample-{self._random.getrandbits(64):x}"
        try:
            edge_response = self._edge.request("GET", other, headers=_AGENT)
        except PurgeError:
            return True
        if edge_response.status != fresh.status:
            return True
        return differences(fresh.body, edge_response.body) == kinds

    def _explain_difference(self, url: str, fresh: DryRunResult, now: datetime) -> str:
        """Return why a page may legitimately differ, or an empty string."""
        if self._fresh(url) != fresh:
            return "two fresh renders differ"
        with self._tracker.read_transaction() as connection:
            is_being_purged = samples.has_recent_purge(
                connection, url, now - self._tracker.front.max_staleness_after_purge
            )
        return "it differs, and a purge is in progress" if is_being_purged else ""

    def _fresh(self, url: str) -> DryRunResult:
        return dry_run(self._app, url, self._tracker.site)

    def _sample_in_thread(self, now: datetime) -> None:
        with self._lock:
            try:
                self.sample(now)
            except Exception:  # noqa: BLE001 - the next sample may succeed
                _log.exception("edge.sample_failed: a page could not be compared")


def _may_be_fetched_since(edge_response: ApiResponse, at: datetime, now: datetime) -> bool:
    """Return whether, by its Age header, the edge may have fetched its response after `at`."""
    age = edge_response.headers.get("Age", "").strip()
    if not (age.isascii() and age.isdecimal()):
        return True
    return now - timedelta(seconds=int(age[:9])) >= at


def _warn_once(before: Memory, url: str) -> None:
    """Log a finding for the first rewritten page only."""
    if not before.pages:
        sentence = "edge.rewritten: the public edge rewrites pages, for example %s"
        _log.warning(sentence, url, extra={"finding": "rewritten", "url": url})


def sampling_hooks(app: Flask, tracker: Tracker) -> tuple[RelayHook, ...]:
    """Return the relay's sampling hook; empty if no edge in front is purged."""
    interval = timedelta(seconds=read_number(app.config, "EDGE_SAMPLE_EVERY"))
    return (Sampler(app, tracker, every=interval),) if interval and tracker.front.tiers else ()


def rewritten_pages(app: Flask) -> str:
    """Return a text on the pages that the public edge rewrites; empty if none is known."""
    tracker: Tracker | None = state_of(app).tracker
    if tracker is None:
        return ""
    try:
        with tracker.read_transaction() as connection:
            return load_memory(connection).to_text()
    except sa.exc.DBAPIError:
        return ""


def stale_page(tracker: Tracker, connection: Connection) -> str | None:
    """Return a sentence on the pages that are known to be stale at the public edge, or None."""
    if not tracker.front.tiers:
        return None
    stale_urls = [page.url for page in samples.stale_samples(connection) if page.until is None]
    if not stale_urls:
        return None
    more = f" and {len(stale_urls) - 1} more" if len(stale_urls) > 1 else ""
    return f"A page is stale at the public edge: {stale_urls[0]}{more}."
