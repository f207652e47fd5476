"""Register a response in the page index before it is sent, unless its dependencies changed.

Call it in its own transaction, which must hold SQLite's write lock from its beginning.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.encoding import sort_key_value
from ..changes.log import changes_since
from ..changes.log_position import LOG_POSITION_QUERY
from ..changes.metadata import get_meta, set_meta
from ..changes.prepared_statement import PreparedStatement
from ..changes.tables import META
from ..dependencies.dependency import Dependency, matches
from ..dependencies.part import Part
from ..dependencies.recorder import RenderRecord
from .capacity import IndexCapacity
from .index_entries import EntryKey, EntryShapes, digest_of_entries, entries_of_record
from .interval_tree import MAX_KEY, NO_INTERVAL
from .page import IndexedPage
from .precision import precision_updates
from .reference_tables import ensure_parts, ensure_shapes
from .resolver_lock import acquire_shared_lock
from .short_lived import register_short
from .tables import dependency, page, part

BUILD_KEY = "build"
"""The metadata key of the release whose pages may be registered."""

STARTED = "started-build"
"""The metadata key of the build of the process that started last; used before the first release."""

MAX_CHANGES = 500
"""With more changes than this since the render began, a registration is refused."""

_EXTRA_LIFETIME_DIVISOR = 8
MAX_EXTRA_LIFETIME = timedelta(hours=6)
"""A row outlives the last copy of its page by an eighth of its lifetime, at most by this."""


class RegistrationResult(StrEnum):
    """The result of a registration; the value is the reason that operators read."""

    REGISTERED = "registered"
    DEPENDENCY_CHANGED = "its dependencies changed while it was rendered"
    NO_LOG_POSITION = "no log position was taken before its first query"
    OLD_BUILD = (
        "it was rendered by a build that is not the current release: run `flask edge release`"
    )
    TOO_MANY_CHANGES = "too many changes were made while it was rendered"
    EMPTIED = (
        "its last copy read the database and this one did not: a cache in the app holds the rows"
    )
    INDEX_FULL = "the page index is full: raise EDGE_INDEX_PAGES"


def register(
    connection: Connection,
    response: IndexedPage,
    record_or_dependencies: RenderRecord | Collection[Dependency],
    log_positions: Iterable[str],
    build: str | None = None,
    capacity: IndexCapacity | None = None,
) -> RegistrationResult:
    """Register a response, or return why it must not be stored.

    `log_positions` were taken before the first query; `build` is the release that rendered the
    response. A refusal keeps an older row of the page, because an edge may still hold that copy.
    """
    record = (
        record_or_dependencies
        if isinstance(record_or_dependencies, RenderRecord)
        else RenderRecord(single_dependencies=set(record_or_dependencies))
    )
    acquire_shared_lock(connection)
    if build is not None and current_build(connection) not in {None, build}:
        return RegistrationResult.OLD_BUILD
    verdict = _check(connection, record, log_positions)
    if verdict is not RegistrationResult.REGISTERED:
        return verdict
    if response.short is not None:
        is_registered = register_short(connection, response, record, capacity)
        return RegistrationResult.REGISTERED if is_registered else RegistrationResult.INDEX_FULL
    return _write(connection, response, record, capacity)


def current_build(connection: Connection) -> str | None:
    """Return the build whose pages may be registered: the released or else the last started."""
    for name in (BUILD_KEY, STARTED):
        for (build,) in _SELECT_BUILD.fetch_all(connection, name):
            return str(build)
    return None


def begin_build(connection: Connection, build: str) -> bool:
    """Make the build of a starting process the current one if no release was ever run.

    Returns whether another build was current before: then the caller must purge everything.
    The caller holds the resolver lock.
    """
    current = current_build(connection)
    if current == build or get_meta(connection, BUILD_KEY) is not None:
        return False
    set_meta(connection, STARTED, build)
    return current is not None


def _check(
    connection: Connection, record: RenderRecord, log_positions: Iterable[str]
) -> RegistrationResult:
    positions = list(log_positions)
    if not positions and not all(isinstance(item, Part) for item in record.dependencies):
        return RegistrationResult.NO_LOG_POSITION
    for position in positions:
        if _is_log_unchanged(connection, position):
            continue
        changes = changes_since(connection, position, limit=MAX_CHANGES)
        if changes is None:
            return RegistrationResult.TOO_MANY_CHANGES
        dependencies = record.dependencies
        if any(matches(item, change) for change in changes for item in dependencies):
            return RegistrationResult.DEPENDENCY_CHANGED
    return RegistrationResult.REGISTERED


def _is_log_unchanged(connection: Connection, log_position: str) -> bool:
    """Return whether nothing was logged since the position, the usual case; SQLite only."""
    if not _sqlite(connection):
        return False
    now = next((str(seq) for (seq,) in _SELECT_LOG_POSITION.fetch_all(connection)), "0")
    return now == log_position


_meta = sa.table(META, sa.column("name"), sa.column("value"))
_SELECT_BUILD = PreparedStatement(
    sa.select(_meta.c.value).where(_meta.c.name == sa.bindparam("of")), "of"
)
_SELECT_LOG_POSITION = PreparedStatement(sa.text(LOG_POSITION_QUERY["sqlite"]))


def _write(
    connection: Connection,
    response: IndexedPage,
    record: RenderRecord,
    capacity: IndexCapacity | None,
) -> RegistrationResult:
    entries = entries_of_record(record)
    entry_keys = sorted(entries)
    digest = digest_of_entries(entry_keys)
    values, where = _values(response, digest), (response.url, response.variant)
    rows = _SELECT_PAGE.fetch_all(connection, *where)
    if rows and _is_up_to_date(rows[0], response, digest):
        return RegistrationResult.REGISTERED
    if (
        rows
        and rows[0][1] == digest
        and _UPDATE_PAGE_SAME_DIGEST.execute(connection, *values, *where, digest)
    ):
        return RegistrationResult.REGISTERED
    if rows and record.reads_no_table and _is_emptied(connection, rows[0][0], entry_keys):
        return RegistrationResult.EMPTIED
    # Of entries with the same lower bound, keep the one with the highest upper bound.
    new: Collection[EntryKey] = {key[:3]: key for key in entry_keys}.values()
    if rows:
        page_id = rows[0][0]
        _UPDATE_PAGE.execute(connection, *values, *where)
        new = _replace_entries(connection, page_id, set(new))
    elif capacity is not None and not capacity.has_room(
        connection, open_ended=response.is_open_ended
    ):
        return RegistrationResult.INDEX_FULL
    else:
        page_id = _INSERT_PAGE.fetch_all(connection, *where, *values)[0][0]
    _insert_entries(connection, page_id, {key: entries[key] for key in new})
    ensure_parts(
        connection, (part for part in record.single_dependencies if isinstance(part, Part))
    )
    return RegistrationResult.REGISTERED


def _is_emptied(connection: Connection, page_id: int, entry_keys: list[EntryKey]) -> bool:
    """Return whether a page with the same code and templates no longer reads any row.

    Then a cache in the process holds the data of the rows, and no change would purge the page.
    """
    stored_hashes = {value for (value,) in _SELECT_HASHES.fetch_all(connection, page_id)}
    same = all(key[0] in stored_hashes for key in entry_keys)
    return same and bool(_SELECT_TABLE_HASHES.fetch_all(connection, page_id))


def _values(response: IndexedPage, digest: str) -> tuple[Any, ...]:
    """Return the values of the row of a page, in the order of `_VALUES`.

    The row outlives its copy, so that a page that is rendered again need not be written again.
    """
    longer = min(
        (response.expires_at - response.registered_at) / _EXTRA_LIFETIME_DIVISOR, MAX_EXTRA_LIFETIME
    )
    return (
        response.tag,
        response.site,
        response.etag,
        response.policy,
        sort_key_value(response.registered_at),
        sort_key_value(response.expires_at + longer),
        digest,
        response.is_open_ended,
        response.lifetime // timedelta(microseconds=1),
    )


def _is_up_to_date(row: Sequence[Any], response: IndexedPage, digest: str) -> bool:
    """Return whether a row is valid for this copy too, so that nothing has to be written.

    A purged row is always updated, to record whether the purge was needed.
    """
    _, *same, purged, until, lifetime = row
    here = [
        digest,
        response.tag,
        response.site,
        response.etag,
        response.policy,
        response.is_open_ended,
    ]
    lasting = lifetime >= response.lifetime // timedelta(microseconds=1)
    return same == here and not purged and until >= sort_key_value(response.expires_at) and lasting


def _insert_entries(connection: Connection, page_id: int, new: EntryShapes) -> None:
    if new:
        ensure_shapes(connection, new.values())
        _INSERT_ENTRY.execute_many(connection, [(page_id, *key) for key in new])


def _larger(column: sa.ColumnElement[int]) -> sa.ColumnElement[int]:
    new = sa.bindparam(column.name, type_=sa.BigInteger)
    return sa.case((column > new, column), else_=new)


_VALUES = (
    *("tag", "site", "etag", "policy"),
    *("registered_at", "expires_at", "digest", "aside", "lifetime"),
)
_WHERE = ("of_url", "of_variant")
_this = (page.c.url == sa.bindparam("of_url"), page.c.variant == sa.bindparam("of_variant"))
_update = (
    sa.update(page)
    .where(*_this)
    .values(
        {n: sa.bindparam(n) for n in _VALUES}
        | precision_updates(sa.bindparam("etag"))
        # An edge may still hold the copy with the longest lifetime.
        | {name: _larger(page.c[name]) for name in ("expires_at", "lifetime")}
    )
)
_SELECT_PAGE = PreparedStatement(
    sa.select(
        *(page.c.id, page.c.digest, page.c.tag, page.c.site, page.c.etag, page.c.policy),
        *(page.c.aside, page.c.purged, page.c.expires_at, page.c.lifetime),
    ).where(*_this),
    *_WHERE,
)
_INSERT_PAGE = PreparedStatement(
    sa.insert(page)
    .values({name: sa.bindparam(name) for name in ("url", "variant", *_VALUES)})
    .returning(page.c.id),
    *("url", "variant", *_VALUES),
)
_UPDATE_PAGE = PreparedStatement(_update, *_VALUES, *_WHERE)
_UPDATE_PAGE_SAME_DIGEST = PreparedStatement(
    _update.where(page.c.digest == sa.bindparam("of_digest")), *_VALUES, *_WHERE, "of_digest"
)


def _replace_entries(
    connection: Connection, page_id: int, new_keys: set[EntryKey]
) -> set[EntryKey]:
    """Delete entries that are not among the new ones; return the new ones that are missing.

    After an edit most entries of a page are unchanged.
    """
    full_keys = {key[:3]: key for key in _SELECT_INTERVALS.fetch_all(connection, page_id)}
    short_keys = _SELECT_ENTRIES.fetch_all(connection, page_id)
    stored_keys = {full_keys.get(short_key) or (*short_key, MAX_KEY) for short_key in short_keys}
    if stale_keys := stored_keys - new_keys:
        _DELETE_ENTRY.execute_many(connection, [(page_id, *key[:3]) for key in stale_keys])
    return new_keys - stored_keys


_of_page = dependency.c.page_id == sa.bindparam("of")
_place = (dependency.c.hash, dependency.c.node, dependency.c.low)
_SELECT_ENTRIES = PreparedStatement(sa.select(*_place).where(_of_page), "of")
"""Without the upper bound, which is not in the index and would need one more read per entry."""
_SELECT_INTERVALS = PreparedStatement(
    sa.select(*_place, dependency.c.high).where(
        _of_page, dependency.c.node != sa.literal_column(str(NO_INTERVAL))
    ),
    "of",
)
_SELECT_HASHES = PreparedStatement(sa.select(dependency.c.hash).where(_of_page), "of")
_SELECT_TABLE_HASHES = PreparedStatement(
    sa.select(dependency.c.hash).where(
        _of_page, ~sa.exists().where(part.c.hash == dependency.c.hash)
    ),
    "of",
)
_DELETE_ENTRY = PreparedStatement(
    sa.delete(dependency).where(
        _of_page, *(column == sa.bindparam(f"of_{column.name}") for column in _place)
    ),
    *("of", "of_hash", "of_node", "of_low"),
)
_ENTRY = ("page_id", "hash", "node", "low", "high")
_INSERT_ENTRY = PreparedStatement(
    sa.insert(dependency).inline().values({name: sa.bindparam(name) for name in _ENTRY}), *_ENTRY
)


def _sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
