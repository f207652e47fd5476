"""Tracking: what a shared response was built from is registered before it leaves."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ..changes.mark import mark
from ..guard import Finding
from ..index import Bound, Page, Registered, register
from ..index.batch import Registrar
from ..index.lock import WRITING, promptly
from ..index.page import FLEETING, Short, ShortKind
from ..reads import Schema, recorder
from ..sqlalchemy import INTERNAL, end_reads
from ..until import covers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy.engine import Connection, Engine

    from ..changes import Watched
    from ..changes.watchman import Watchman
    from ..front import Front
    from ..policy import Policy
    from .parts import Parts
    from .tagging import PageTags

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """Which response of a URL it is, and which bytes it has.

    `failed`: it is no page; `redirects`: it leads to another.
    """

    variant: str
    etag: str
    failed: bool = False
    redirects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """Registers the responses of one app in the database that they are built from."""

    engine: Engine
    watched: tuple[Watched, ...]
    schema: Schema
    site: str
    tags: PageTags
    front: Front
    parts: Parts
    watchman: Watchman
    demands_release: bool
    """Register only what the current release has made."""
    bound: Bound | None = None
    registrar: Registrar = field(init=False, repr=False)
    """Commits what is registered; made once, since its queue is the whole process's."""

    def __post_init__(self) -> None:
        """Make the registrar."""
        object.__setattr__(self, "registrar", Registrar(self.engine))

    def begin(self) -> None:
        """Record what is read from now on."""
        recorder.begin()

    def declare(self, tables: Collection[str]) -> None:
        """Record tables that a route has declared, marked before anything is read of them."""
        record = recorder.current()
        if record is None:
            return
        record.declare(tables)
        unknown = [name for name in tables if not self.schema.knows(name)]
        if unknown:
            record.spoil(f"it declares the table {unknown[0]}, which is not watched")
        elif tables:
            with self.reading() as connection:
                record.marks.append(mark(connection))

    def settle(
        self, view: str, url: str, version: Version, policy: Policy, now: datetime
    ) -> Finding | None:
        """Register a response under its URL, or say why it must not be stored."""
        record = recorder.current()
        recorder.end()
        if policy.immutable and not (record is not None and record.marks):
            return None  # a file, whose address says what it holds; one in a database can go there
        if record is None:
            return _quiet(view, "unrecorded", "nobody recorded what it was built from")
        if not policy.immutable:  # such an address says what it holds, whatever serves it
            record.read(self.parts.of(view))
        if (finding := _amiss(view, policy, record)) is not None:
            return finding
        if record.rehearsal:
            record.url, record.etag = url, version.etag
            return None
        try:
            tag, group_tag = self.tag(url), self.tags.short_lived
        except sa.exc.SQLAlchemyError:
            return _quiet(view, "unregistered", "the page index could not be read")
        page = Page(
            url=url,
            site=self.site,
            variant=version.variant,
            tag=tag,
            etag=version.etag,
            policy=policy.name,
            registered=now,
            expires=now + self.front.life(policy),
            lifetime=policy.at_edge.ttl,
            aside=version.failed or "?" in url,
            short=short_of(url, version, policy),
            group_tag=group_tag,
        )
        return self._register(view, page, record)

    def tag(self, url: str) -> str:
        """The cache tag of a page."""
        return self.tags.of(url)

    def tags_of(self, url: str, version: Version, policy: Policy) -> tuple[str, ...]:
        """The cache tags of a response: its own, and the one of all short-lived pages."""
        short = short_of(url, version, policy)
        return (self.tag(url), *([self.tags.short_lived] if short else ()))

    def _register(self, view: str, page: Page, record: recorder.Record) -> Finding | None:
        build = self.parts.build if self.demands_release else None
        try:
            if (trouble := self.watchman.trouble()) is not None:
                return _quiet(view, "untrusted", trouble)
            end_reads(record)
            verdict = self.registrar.register(
                lambda connection: register(
                    connection, page, record, record.marks, build, self.bound
                )
            )
        except (sa.exc.SQLAlchemyError, TimeoutError):
            return _quiet(view, "unregistered", "the page index could not be written")
        if verdict is Registered.DONE:
            return None
        if event := _EVENTS.get(verdict):
            _warn(event, verdict.value)
        return _quiet(view, _CODES.get(verdict) or verdict.name.lower(), verdict.value)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction of its own that nobody records."""
        with self.engine.connect() as connection, connection.begin():
            yield connection.execution_options(**INTERNAL)

    @contextmanager
    def logging(self) -> Iterator[Connection]:
        """A transaction for entries of the change log; they are resolved as it ends."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(**WRITING)  # noqa: PLW2901 - the same one
            with connection.begin():
                yield connection

    def writing(self) -> AbstractContextManager[Connection]:
        """A transaction of its own on the index, that does not wait long for others."""
        return promptly(self.engine)


SHORT = timedelta(minutes=15)
"""An answer to a query that edges keep no longer than this is short-lived."""


def short_of(url: str, version: Version, policy: Policy) -> Short | None:
    """How a response is short-lived; None for a page, and for answers that are kept for long."""
    edge = policy.at_edge
    fleeting = edge.ttl <= FLEETING
    if version.redirects:
        return None  # it reads little beside its own address, so it is registered exactly
    if version.failed:
        return Short(kind=ShortKind.ERROR, fleeting=fleeting)
    if "?" in url and edge.ttl <= SHORT:
        return Short(kind=ShortKind.QUERY, fleeting=fleeting)
    return None


REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})

_EVENTS = {Registered.OLD_BUILD: "edge.old_build", Registered.FULL: "edge.index_full"}
_CODES = {Registered.FULL: "index-full"}


@cache
def _warn(event: str, reason: str) -> None:
    """Say once a process why nothing is stored."""
    _log.warning(event, extra={"reason": reason})


_ANSWERS = (
    "it asks for the present moment, so its answer changes without a write. Give the page a "
    'policy that ends when the answer changes (until="minute", "hour" or "midnight", for what is '
    "cut to that), or store when something is due and let a scheduled write change the rows"
)


_DECLARE = (
    "read it with SQLAlchemy, or declare the tables that it shows (cached(POLICY, reads=(...)), an "
    "empty tuple where it shows none)"
)


def _amiss(view: str, policy: Policy, record: recorder.Record) -> Finding | None:
    """What was read that can't be known."""
    if record.spoilt is not None:
        return _leak(view, policy, record.spoilt)
    if (how := record.read_how) is not None:
        return _leak(view, policy, f"{how}: {_DECLARE}")
    if record.clock is not None and not covers(policy.until, record.clock.grain):
        return _leak(view, policy, f"{record.clock.what}: {_ANSWERS}")
    if record.doubted is not None:
        return _quiet(view, "read-beside", record.doubted)
    return None


def _leak(view: str, policy: Policy, reason: str) -> Finding:
    promise = f"{view} promises {policy.name} to every reader alike, but {reason}"
    return Finding(code="reads-unknown", sentence=f"{promise} (reads-unknown).")


def _quiet(view: str, code: str, reason: str) -> Finding:
    return Finding(code=code, sentence=f"{view}: {reason}.", leak=False)
