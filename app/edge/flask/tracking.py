"""Tracking: what a shared response was built from is registered before it leaves."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ..changes.log_position import current_log_position
from ..dependencies import PublicSchema, recorder
from ..dependencies.engine_events import INTERNAL_OPTIONS, end_reads
from ..pages import IndexCapacity, IndexedPage, RegistrationResult, register
from ..pages.group_commit import Registrar
from ..pages.page import FLEETING, Short, ShortKind
from ..pages.resolver_lock import WRITE_OPTIONS, promptly
from ..policy.guard import GuardFinding
from ..policy.until import covers

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from sqlalchemy.engine import Connection, Engine

    from ..changes import WatchedTable
    from ..changes.drift_monitor import DriftMonitor
    from ..pages.page_tags import PageTags
    from ..policy.policy import Policy
    from ..purge.edge_chain import EdgeChain
    from .build import AppBuild

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseVersion:
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
    watched_tables: tuple[WatchedTable, ...]
    schema: PublicSchema
    site: str
    tags: PageTags
    front: EdgeChain
    parts: AppBuild
    drift_monitor: DriftMonitor
    requires_current_build: bool
    """Register only what the current release has made."""
    capacity: IndexCapacity | None = None
    registrar: Registrar = field(init=False, repr=False)
    """Commits what is registered; made once, since its queue is the whole process's."""

    def __post_init__(self) -> None:
        """Make the registrar."""
        object.__setattr__(self, "registrar", Registrar(self.engine))

    def start_recording(self) -> None:
        """Record what is read from now on."""
        recorder.begin()

    def declare(self, tables: Collection[str]) -> None:
        """Record tables that a route has declared, marked before anything is read of them."""
        record = recorder.current_record()
        if record is None:
            return
        record.declare(tables)
        unknown = [name for name in tables if not self.schema.is_public(name)]
        if unknown:
            record.set_unshareable(f"it declares the table {unknown[0]}, which is not watched")
        elif tables:
            with self.read_transaction() as connection:
                record.log_positions.append(current_log_position(connection))

    def register_response(
        self, view: str, url: str, version: ResponseVersion, policy: Policy, now: datetime
    ) -> GuardFinding | None:
        """Register a response under its URL, or say why it must not be stored."""
        record = recorder.current_record()
        recorder.end()
        if policy.immutable and not (record is not None and record.log_positions):
            return None  # a file, whose address says what it holds; one in a database can go there
        if record is None:
            return _no_leak_finding(view, "unrecorded", "nobody recorded what it was built from")
        if not policy.immutable:  # such an address says what it holds, whatever serves it
            record.add_dependencies(self.parts.parts_of(view))
        if (finding := _find_unknown_read(view, policy, record)) is not None:
            return finding
        if record.is_dry_run:
            record.url, record.etag = url, version.etag
            return None
        try:
            tag, group_tag = self.tag(url), self.tags.short_lived
        except sa.exc.SQLAlchemyError:
            return _no_leak_finding(view, "unregistered", "the page index could not be read")
        page = IndexedPage(
            url=url,
            site=self.site,
            variant=version.variant,
            tag=tag,
            etag=version.etag,
            policy=policy.name,
            registered_at=now,
            expires_at=now + self.front.max_lifetime(policy),
            lifetime=policy.edge_freshness.ttl,
            is_open_ended=version.failed or "?" in url,
            short=short_of(url, version, policy),
            group_tag=group_tag,
        )
        return self._register(view, page, record)

    def tag(self, url: str) -> str:
        """The cache tag of a page."""
        return self.tags.tag_for(url)

    def tags_of(self, url: str, version: ResponseVersion, policy: Policy) -> tuple[str, ...]:
        """The cache tags of a response: its own, and the one of all short-lived pages."""
        short = short_of(url, version, policy)
        return (self.tag(url), *([self.tags.short_lived] if short else ()))

    def _register(
        self, view: str, page: IndexedPage, record: recorder.RenderRecord
    ) -> GuardFinding | None:
        build = self.parts.build_id if self.requires_current_build else None
        try:
            if (trouble := self.drift_monitor.current_problem()) is not None:
                return _no_leak_finding(view, "untrusted", trouble)
            end_reads(record)
            verdict = self.registrar.register(
                lambda connection: register(
                    connection, page, record, record.log_positions, build, self.capacity
                )
            )
        except (sa.exc.SQLAlchemyError, TimeoutError):
            return _no_leak_finding(view, "unregistered", "the page index could not be written")
        if verdict is RegistrationResult.REGISTERED:
            return None
        if event := _EVENTS.get(verdict):
            _warn_once(event, verdict.value)
        return _no_leak_finding(view, _CODES[verdict], verdict.value)

    @contextmanager
    def read_transaction(self) -> Iterator[Connection]:
        """A transaction of its own that nobody records."""
        with self.engine.connect() as connection, connection.begin():
            yield connection.execution_options(**INTERNAL_OPTIONS)

    @contextmanager
    def change_log_transaction(self) -> Iterator[Connection]:
        """A transaction for entries of the change log; they are resolved as it ends."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(**WRITE_OPTIONS)  # noqa: PLW2901 - the same one
            with connection.begin():
                yield connection

    def index_transaction(self) -> AbstractContextManager[Connection]:
        """A transaction of its own on the index, that does not wait long for others."""
        return promptly(self.engine)


SHORT = timedelta(minutes=15)
"""An answer to a query that edges keep no longer than this is short-lived."""


def short_of(url: str, version: ResponseVersion, policy: Policy) -> Short | None:
    """How a response is short-lived; None for a page, and for answers that are kept for long."""
    edge = policy.edge_freshness
    fleeting = edge.ttl <= FLEETING
    if version.redirects:
        return None  # it reads little beside its own address, so it is registered exactly
    if version.failed:
        return Short(kind=ShortKind.ERROR, fleeting=fleeting)
    if "?" in url and edge.ttl <= SHORT:
        return Short(kind=ShortKind.QUERY, fleeting=fleeting)
    return None


REDIRECTS = frozenset({300, 301, 302, 303, 307, 308})

_EVENTS = {
    RegistrationResult.OLD_BUILD: "edge.old_build",
    RegistrationResult.INDEX_FULL: "edge.index_full",
}
_CODES = {
    RegistrationResult.DEPENDENCY_CHANGED: "changed",
    RegistrationResult.NO_LOG_POSITION: "unmarked",
    RegistrationResult.OLD_BUILD: "old_build",
    RegistrationResult.TOO_MANY_CHANGES: "too_many",
    RegistrationResult.EMPTIED: "emptied",
    RegistrationResult.INDEX_FULL: "index-full",
}
"""The finding code of each refusal; the values are public."""


@cache
def _warn_once(event: str, reason: str) -> None:
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


def _find_unknown_read(
    view: str, policy: Policy, record: recorder.RenderRecord
) -> GuardFinding | None:
    """What was read that can't be known."""
    if record.unshareable_reason is not None:
        return _leak_finding(view, policy, record.unshareable_reason)
    if (how := record.read_how) is not None:
        return _leak_finding(view, policy, f"{how}: {_DECLARE}")
    if record.clock is not None and not covers(policy.until, record.clock.grain):
        return _leak_finding(view, policy, f"{record.clock.what}: {_ANSWERS}")
    if record.unattributed_read is not None:
        return _no_leak_finding(view, "read-beside", record.unattributed_read)
    return None


def _leak_finding(view: str, policy: Policy, reason: str) -> GuardFinding:
    promise = f"{view} promises {policy.name} to every reader alike, but {reason}"
    return GuardFinding(code="reads-unknown", summary=f"{promise} (reads-unknown).")


def _no_leak_finding(view: str, code: str, reason: str) -> GuardFinding:
    return GuardFinding(code=code, summary=f"{view}: {reason}.", is_leak=False)
