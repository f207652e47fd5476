"""Register a shared response with its dependencies in the page index before it is sent."""

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
from ..pages import IndexCapacity, IndexedPage, RegistrationResult
from ..pages.group_commit import Registrar
from ..pages.page import FLEETING, Short, ShortKind
from ..pages.register import register
from ..pages.resolver_lock import WRITE_OPTIONS, promptly
from ..policy.guard import GuardFinding, leak_finding
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
    from .response_version import ResponseVersion

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracker:
    """Registers the responses of one app in the page index, in the database they are built from."""

    engine: Engine
    watched_tables: tuple[WatchedTable, ...]
    schema: PublicSchema
    site: str
    tags: PageTags
    front: EdgeChain
    parts: AppBuild
    drift_monitor: DriftMonitor
    requires_current_build: bool
    """Register only responses of the current release's build."""
    capacity: IndexCapacity | None = None
    registrar: Registrar = field(init=False, repr=False)
    """Commits registrations in groups; one per process, because it has the queue."""

    def __post_init__(self) -> None:
        """Create the registrar."""
        object.__setattr__(self, "registrar", Registrar(self.engine))

    def start_recording(self) -> None:
        """Start to record dependencies."""
        recorder.begin()

    def declare(self, tables: Collection[str]) -> None:
        """Record the tables that a route declares, and the log position before they are read."""
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
        """Register a response under its URL, or return why it must not be stored."""
        record = recorder.current_record()
        recorder.end()
        if policy.immutable and not (record is not None and record.log_positions):
            return (
                None  # a file with a fingerprint in its URL; one from the database may be deleted
            )
        if record is None:
            return _no_leak_finding(view, "unrecorded", "its dependencies were not recorded")
        if not policy.immutable:  # the URL of immutable content changes with it
            record.add_dependencies(self.parts.common_parts())
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

    def find_unknown_reads(self, view: str, policy: Policy) -> tuple[GuardFinding, ...]:
        """Return every read of the current response whose changes can't be tracked."""
        record = recorder.current_record()
        return () if record is None else find_unknown_reads(view, policy, record)

    def tag(self, url: str) -> str:
        """Return the cache tag of a page."""
        return self.tags.tag_for(url)

    def tags_of(self, url: str, version: ResponseVersion, policy: Policy) -> tuple[str, ...]:
        """Return the page's own tag, and for a short-lived page the tag of all of them."""
        short = short_of(url, version, policy)
        return (self.tag(url), *([self.tags.short_lived] if short else ()))

    def _register(
        self, view: str, page: IndexedPage, record: recorder.RenderRecord
    ) -> GuardFinding | None:
        build = self.parts.build_id if self.requires_current_build else None
        try:
            if (problem := self.drift_monitor.current_problem()) is not None:
                return _no_leak_finding(view, "untrusted", problem)
            end_reads(record)
            result = self.registrar.register(
                lambda connection: register(
                    connection, page, record, record.log_positions, build, self.capacity
                )
            )
        except (sa.exc.SQLAlchemyError, TimeoutError):
            return _no_leak_finding(view, "unregistered", "the page index could not be written")
        if result is RegistrationResult.REGISTERED:
            return None
        if event := _EVENTS.get(result):
            _warn_once(event, result.value)
        return _no_leak_finding(view, _CODES[result], result.value)

    @contextmanager
    def read_transaction(self) -> Iterator[Connection]:
        """Open a separate read transaction that is not recorded."""
        with self.engine.connect() as connection, connection.begin():
            yield connection.execution_options(**INTERNAL_OPTIONS)

    @contextmanager
    def change_log_transaction(self) -> Iterator[Connection]:
        """Open a transaction for change log entries, which are resolved after its commit."""
        with self.engine.connect() as connection:
            connection = connection.execution_options(**WRITE_OPTIONS)  # noqa: PLW2901 - the same connection
            with connection.begin():
                yield connection

    def index_transaction(self) -> AbstractContextManager[Connection]:
        """Open a separate transaction on the page index, with a short lock timeout."""
        return promptly(self.engine)


SHORT = timedelta(minutes=15)
"""A response to a query with at most this edge TTL is short-lived."""


def short_of(url: str, version: ResponseVersion, policy: Policy) -> Short | None:
    """Return the kind of a short-lived response; None for pages and long-lived responses."""
    edge = policy.edge_freshness
    fleeting = edge.ttl <= FLEETING
    if version.redirects:
        return None  # it reads little beside its own address, so it is registered exactly
    if version.failed:
        return Short(kind=ShortKind.ERROR, fleeting=fleeting)
    if "?" in url and edge.ttl <= SHORT:
        return Short(kind=ShortKind.QUERY, fleeting=fleeting)
    return None


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
    """Log once per process why responses are not stored."""
    _log.warning("%s: no response is shared: %s", event, reason, extra={"reason": reason})


_TIME_ADVICE = (
    "it depends on the current time, so its result changes without a write. Give the page a "
    'policy that ends when the result changes (until="minute", "hour" or "midnight", for a time '
    "truncated to that), or store a status and change it by a scheduled write"
)


_DECLARE_ADVICE = (
    "read it with SQLAlchemy, or declare the tables that it shows (cached(POLICY, reads=(...)), an "
    "empty tuple where it shows none)"
)


def _find_unknown_read(
    view: str, policy: Policy, record: recorder.RenderRecord
) -> GuardFinding | None:
    """Return a finding if the record contains a read whose changes can't be tracked."""
    if record.unshareable_reason is not None:
        return _leak_finding(view, policy, record.unshareable_reason)
    if (how := record.read_how) is not None:
        return _leak_finding(view, policy, f"{how}: {_DECLARE_ADVICE}")
    if record.clock is not None and not covers(policy.until, record.clock.grain):
        return _leak_finding(view, policy, f"{record.clock.what}: {_TIME_ADVICE}")
    if record.unattributed_read is not None:
        return _no_leak_finding(view, "read-beside", record.unattributed_read)
    return None


def find_unknown_reads(
    view: str, policy: Policy, record: recorder.RenderRecord
) -> tuple[GuardFinding, ...]:
    """Return each read whose changes can't be tracked, with its line (only outside production)."""
    if policy.immutable and not record.log_positions:
        return ()
    places = record.places
    reasons = {reason: reason for reason in record.unshareable_reasons}
    if not record.declared:
        hows = dict.fromkeys([*record.unseen_reads, *record.raw_connections.values()])
        reasons |= {how: f"{how}: {_DECLARE_ADVICE}" for how in hows}
    if record.clock is not None and not covers(policy.until, record.clock.grain):
        reasons[record.clock.what] = f"{record.clock.what}: {_TIME_ADVICE}"
    return tuple(
        _leak_finding(view, policy, reason, "" if places is None else places.get(key))
        for key, reason in reasons.items()
    )


def _leak_finding(view: str, policy: Policy, reason: str, place: str = "") -> GuardFinding:
    return leak_finding(view, policy, "reads-unknown", reason, place=place)


def _no_leak_finding(view: str, code: str, reason: str) -> GuardFinding:
    return GuardFinding(code=code, summary=f"{view}: {reason}.", is_leak=False)
