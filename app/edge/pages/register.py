"""Registering a response before it leaves, unless a change came between its reads and now.

Call it in a transaction of its own, that holds SQLite's write lock from its beginning.
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
from ..dependencies.dependency import Dependency, Part, matches
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
"""The note beside the change log that names the release whose pages may be registered."""

STARTED = "started-build"
"""The same where nothing was ever released: the build of the process that started last."""

MOST_CHANGES = 500
"""More changes than this since a render began are not compared one by one."""

_EXTRA_LIFETIME_DIVISOR = 8
MAX_EXTRA_LIFETIME = timedelta(hours=6)
"""By an eighth of its life, and this at the most, a row outlives the last copy of its page."""


class RegistrationResult(StrEnum):
    """What became of a registration; the value is the reason that operators read."""

    REGISTERED = "registered"
    DEPENDENCY_CHANGED = "what it was built from changed while it was built"
    NO_LOG_POSITION = "nothing says when its reads began"
    OLD_BUILD = "another release than the one that made it is current: run `flask edge release`"
    TOO_MANY_CHANGES = "too many changes came while it was built"
    EMPTIED = "it read the database when it was last made, and nothing now: a cache has the rows"
    INDEX_FULL = "the page index is full: let EDGE_INDEX_PAGES be larger"


def register(
    connection: Connection,
    response: IndexedPage,
    read: RenderRecord | Collection[Dependency],
    marks: Iterable[str],
    build: str | None = None,
    bound: IndexCapacity | None = None,
) -> RegistrationResult:
    """Put a response into the index, or say why it must not be stored.

    `marks` were taken before the first read; `build` names the release that made it, `bound` is
    that of the index. A refusal leaves an older row of the page as it is, because a copy of that
    may still be out there.
    """
    record = read if isinstance(read, RenderRecord) else RenderRecord(single_dependencies=set(read))
    acquire_shared_lock(connection)
    if build is not None and current_build(connection) not in {None, build}:
        return RegistrationResult.OLD_BUILD
    verdict = _check(connection, record, marks)
    if verdict is not RegistrationResult.REGISTERED:
        return verdict
    if response.short is not None:
        done = register_short(connection, response, record, bound)
        return RegistrationResult.REGISTERED if done else RegistrationResult.INDEX_FULL
    return _write(connection, response, record, bound)


def current_build(connection: Connection) -> str | None:
    """The build whose pages may be registered: the released one, else that which started last."""
    for name in (BUILD_KEY, STARTED):
        for (build,) in _SELECT_BUILD.fetch_all(connection, name):
            return str(build)
    return None


def begin_build(connection: Connection, build: str) -> bool:
    """Let the build of a starting process be the current one, where nothing was ever released.

    Returns whether another build made the pages that edges may keep: then purge everything.
    The caller holds the lock of resolving.
    """
    current = current_build(connection)
    if current == build or get_meta(connection, BUILD_KEY) is not None:
        return False
    set_meta(connection, STARTED, build)
    return current is not None


def _check(
    connection: Connection, record: RenderRecord, marks: Iterable[str]
) -> RegistrationResult:
    taken = list(marks)
    if not taken and not all(isinstance(found, Part) for found in record.dependencies):
        return RegistrationResult.NO_LOG_POSITION
    for mark in taken:
        if _is_log_unchanged(connection, mark):
            continue
        changes = changes_since(connection, mark, limit=MOST_CHANGES)
        if changes is None:
            return RegistrationResult.TOO_MANY_CHANGES
        dependencies = record.dependencies
        if any(matches(found, change) for change in changes for found in dependencies):
            return RegistrationResult.DEPENDENCY_CHANGED
    return RegistrationResult.REGISTERED


def _is_log_unchanged(connection: Connection, mark: str) -> bool:
    """Tell whether nothing at all was logged since, as nearly always; only SQLite can tell."""
    if not _sqlite(connection):
        return False
    now = next((str(seq) for (seq,) in _SELECT_LOG_POSITION.fetch_all(connection)), "0")
    return now == mark


_meta = sa.table(META, sa.column("name"), sa.column("value"))
_SELECT_BUILD = PreparedStatement(
    sa.select(_meta.c.value).where(_meta.c.name == sa.bindparam("of")), "of"
)
_SELECT_LOG_POSITION = PreparedStatement(sa.text(LOG_POSITION_QUERY["sqlite"]))


def _write(
    connection: Connection, response: IndexedPage, record: RenderRecord, bound: IndexCapacity | None
) -> RegistrationResult:
    found = entries_of_record(record)
    spots = sorted(found)
    said = digest_of_entries(spots)
    values, where = _values(response, said), (response.url, response.variant)
    known = _SELECT_PAGE.fetch_all(connection, *where)
    if known and _is_up_to_date(known[0], response, said):
        return RegistrationResult.REGISTERED
    if (
        known
        and known[0][1] == said
        and _UPDATE_PAGE_SAME_DIGEST.execute(connection, *values, *where, said)
    ):
        return RegistrationResult.REGISTERED
    if known and record.reads_no_table and _is_emptied(connection, known[0][0], spots):
        return RegistrationResult.EMPTIED
    # Of entries that begin at the same place, the one that reaches furthest.
    new: Collection[EntryKey] = {spot[:3]: spot for spot in spots}.values()
    if known:
        page_id = known[0][0]
        _UPDATE_PAGE.execute(connection, *values, *where)
        new = _replace_entries(connection, page_id, set(new))
    elif bound is not None and not bound.has_room(connection, aside=response.is_open_ended):
        return RegistrationResult.INDEX_FULL
    else:
        page_id = _INSERT_PAGE.fetch_all(connection, *where, *values)[0][0]
    _insert_entries(connection, page_id, {spot: found[spot] for spot in new})
    ensure_parts(
        connection, (part for part in record.single_dependencies if isinstance(part, Part))
    )
    return RegistrationResult.REGISTERED


def _is_emptied(connection: Connection, page_id: int, spots: list[EntryKey]) -> bool:
    """Tell whether a page that is made of the same code and templates has lost all its rows.

    Then something in the process has kept what the rows said, and no change would purge it.
    """
    held = {place for (place,) in _HELD_HASHES.fetch_all(connection, page_id)}
    same = all(spot[0] in held for spot in spots)
    return same and bool(_HELD_OF_TABLES.fetch_all(connection, page_id))


def _values(response: IndexedPage, said: str) -> tuple[Any, ...]:
    """The row of a page, as `_VALUES` names its columns.

    It is kept for a while longer than it must be, so that one which is made again is not
    written again.
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
        said,
        response.is_open_ended,
        response.lifetime // timedelta(microseconds=1),
    )


def _is_up_to_date(row: Sequence[Any], response: IndexedPage, said: str) -> bool:
    """Tell whether a row holds for this copy too: then nothing is written, and no disk flushed.

    One that was purged says with the next copy whether it had to be.
    """
    _, *same, purged, until, lifetime = row
    here = [
        said,
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
        _INSERT_ENTRY.execute_many(connection, [(page_id, *spot) for spot in new])


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
        # An edge may still hold the copy that could live the longest.
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


def _replace_entries(connection: Connection, page_id: int, wanted: set[EntryKey]) -> set[EntryKey]:
    """Take out what is no longer wanted; return what is not there yet.

    After an edit most of a page is as before.
    """
    ends = {spot[:3]: spot for spot in _SELECT_INTERVALS.fetch_all(connection, page_id)}
    places = _SELECT_ENTRIES.fetch_all(connection, page_id)
    held = {ends.get(place) or (*place, MAX_KEY) for place in places}
    if gone := held - wanted:
        _DELETE_ENTRY.execute_many(connection, [(page_id, *spot[:3]) for spot in gone])
    return wanted - held


_of_page = dependency.c.page_id == sa.bindparam("of")
_place = (dependency.c.hash, dependency.c.node, dependency.c.low)
_SELECT_ENTRIES = PreparedStatement(sa.select(*_place).where(_of_page), "of")
"""Without the high end, which would have to be looked up for each entry on its own."""
_SELECT_INTERVALS = PreparedStatement(
    sa.select(*_place, dependency.c.high).where(
        _of_page, dependency.c.node != sa.literal_column(str(NO_INTERVAL))
    ),
    "of",
)
_HELD_HASHES = PreparedStatement(sa.select(dependency.c.hash).where(_of_page), "of")
_HELD_OF_TABLES = PreparedStatement(
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
