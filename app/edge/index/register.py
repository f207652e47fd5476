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

from ..changes.log import since
from ..changes.mark import MARK
from ..changes.meta import note, noted
from ..changes.tables import META
from ..reads.dependency import Dependency, Part, matches
from ..reads.encoding import whole
from ..reads.recorder import Record
from .bound import Bound
from .entries import Entries, Spot, digest, entries
from .interval import ALWAYS, HIGHEST
from .known import know_parts, know_shapes
from .lock import share
from .page import Page
from .precision import counted
from .prepared import Prepared
from .short import register_short
from .tables import dependency, page, part

BUILD = "build"
"""The note beside the change log that names the release whose pages may be registered."""

STARTED = "started-build"
"""The same where nothing was ever released: the build of the process that started last."""

MOST_CHANGES = 500
"""More changes than this since a render began are not compared one by one."""

_PART_LONGER = 8
LONGER = timedelta(hours=6)
"""By an eighth of its life, and this at the most, a row outlives the last copy of its page."""


class Registered(StrEnum):
    """What became of a registration; the value is the reason that operators read."""

    DONE = "registered"
    CHANGED = "what it was built from changed while it was built"
    UNMARKED = "nothing says when its reads began"
    OLD_BUILD = "another release than the one that made it is current: run `flask edge release`"
    TOO_MANY = "too many changes came while it was built"
    EMPTIED = "it read the database when it was last made, and nothing now: a cache has the rows"
    FULL = "the page index is full: let EDGE_INDEX_PAGES be larger"


def register(
    connection: Connection,
    response: Page,
    read: Record | Collection[Dependency],
    marks: Iterable[str],
    build: str | None = None,
    bound: Bound | None = None,
) -> Registered:
    """Put a response into the index, or say why it must not be stored.

    `marks` were taken before the first read; `build` names the release that made it, `bound` is
    that of the index. A refusal leaves an older row of the page as it is, because a copy of that
    may still be out there.
    """
    record = read if isinstance(read, Record) else Record(noted=set(read))
    share(connection)
    if build is not None and current_build(connection) not in {None, build}:
        return Registered.OLD_BUILD
    verdict = _check(connection, record, marks)
    if verdict is not Registered.DONE:
        return verdict
    if response.short is not None:
        done = register_short(connection, response, record, bound)
        return Registered.DONE if done else Registered.FULL
    return _write(connection, response, record, bound)


def current_build(connection: Connection) -> str | None:
    """The build whose pages may be registered: the released one, else that which started last."""
    for name in (BUILD, STARTED):
        for (build,) in _BUILD.rows(connection, name):
            return str(build)
    return None


def begin_build(connection: Connection, build: str) -> bool:
    """Let the build of a starting process be the current one, where nothing was ever released.

    Returns whether another build made the pages that edges may keep: then purge everything.
    The caller holds the lock of resolving.
    """
    current = current_build(connection)
    if current == build or noted(connection, BUILD) is not None:
        return False
    note(connection, STARTED, build)
    return current is not None


def _check(connection: Connection, record: Record, marks: Iterable[str]) -> Registered:
    taken = list(marks)
    if not taken and not all(isinstance(found, Part) for found in record.dependencies):
        return Registered.UNMARKED
    for mark in taken:
        if _nothing_since(connection, mark):
            continue
        changes = since(connection, mark, most=MOST_CHANGES)
        if changes is None:
            return Registered.TOO_MANY
        dependencies = record.dependencies
        if any(matches(found, change) for change in changes for found in dependencies):
            return Registered.CHANGED
    return Registered.DONE


def _nothing_since(connection: Connection, mark: str) -> bool:
    """Tell whether nothing at all was logged since, as nearly always; only SQLite can tell."""
    if not _sqlite(connection):
        return False
    now = next((str(seq) for (seq,) in _MARK.rows(connection)), "0")
    return now == mark


_meta = sa.table(META, sa.column("name"), sa.column("value"))
_BUILD = Prepared(sa.select(_meta.c.value).where(_meta.c.name == sa.bindparam("of")), "of")
_MARK = Prepared(sa.text(MARK["sqlite"]))


def _write(
    connection: Connection, response: Page, record: Record, bound: Bound | None
) -> Registered:
    found = entries(record)
    spots = sorted(found)
    said = digest(spots)
    values, where = _values(response, said), (response.url, response.variant)
    known = _KNOWN.rows(connection, *where)
    if known and _says_all(known[0], response, said):
        return Registered.DONE
    if known and known[0][1] == said and _AGAIN.count(connection, *values, *where, said):
        return Registered.DONE
    if known and record.reads_no_table and _is_emptied(connection, known[0][0], spots):
        return Registered.EMPTIED
    # Of entries that begin at the same place, the one that reaches furthest.
    new: Collection[Spot] = {spot[:3]: spot for spot in spots}.values()
    if known:
        page_id = known[0][0]
        _AGAIN_OTHERWISE.count(connection, *values, *where)
        new = _exchange(connection, page_id, set(new))
    elif bound is not None and not bound.has_room(connection, aside=response.aside):
        return Registered.FULL
    else:
        page_id = _NEW.rows(connection, *where, *values)[0][0]
    _add(connection, page_id, {spot: found[spot] for spot in new})
    know_parts(connection, (part for part in record.noted if isinstance(part, Part)))
    return Registered.DONE


def _is_emptied(connection: Connection, page_id: int, spots: list[Spot]) -> bool:
    """Tell whether a page that is made of the same code and templates has lost all its rows.

    Then something in the process has kept what the rows said, and no change would purge it.
    """
    held = {place for (place,) in _HELD_HASHES.rows(connection, page_id)}
    same = all(spot[0] in held for spot in spots)
    return same and bool(_HELD_OF_TABLES.rows(connection, page_id))


def _values(response: Page, said: str) -> tuple[Any, ...]:
    """The row of a page, as `_VALUES` names its columns.

    It is kept for a while longer than it must be, so that one which is made again is not
    written again.
    """
    longer = min((response.expires - response.registered) / _PART_LONGER, LONGER)
    return (
        response.tag,
        response.site,
        response.etag,
        response.policy,
        whole(response.registered),
        whole(response.expires + longer),
        said,
        response.aside,
        response.lifetime // timedelta(microseconds=1),
    )


def _says_all(row: Sequence[Any], response: Page, said: str) -> bool:
    """Tell whether a row holds for this copy too: then nothing is written, and no disk flushed.

    One that was purged says with the next copy whether it had to be.
    """
    _, *same, purged, until, lifetime = row
    here = [said, response.tag, response.site, response.etag, response.policy, response.aside]
    lasting = lifetime >= response.lifetime // timedelta(microseconds=1)
    return same == here and not purged and until >= whole(response.expires) and lasting


def _add(connection: Connection, page_id: int, new: Entries) -> None:
    if new:
        know_shapes(connection, new.values())
        _DEPENDS.each(connection, [(page_id, *spot) for spot in new])


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
        | counted(sa.bindparam("etag"))
        # An edge may still hold the copy that could live the longest.
        | {name: _larger(page.c[name]) for name in ("expires_at", "lifetime")}
    )
)
_KNOWN = Prepared(
    sa.select(
        *(page.c.id, page.c.digest, page.c.tag, page.c.site, page.c.etag, page.c.policy),
        *(page.c.aside, page.c.purged, page.c.expires_at, page.c.lifetime),
    ).where(*_this),
    *_WHERE,
)
_NEW = Prepared(
    sa.insert(page)
    .values({name: sa.bindparam(name) for name in ("url", "variant", *_VALUES)})
    .returning(page.c.id),
    *("url", "variant", *_VALUES),
)
_AGAIN_OTHERWISE = Prepared(_update, *_VALUES, *_WHERE)
_AGAIN = Prepared(
    _update.where(page.c.digest == sa.bindparam("of_digest")), *_VALUES, *_WHERE, "of_digest"
)


def _exchange(connection: Connection, page_id: int, wanted: set[Spot]) -> set[Spot]:
    """Take out what is no longer wanted; return what is not there yet.

    After an edit most of a page is as before.
    """
    ends = {spot[:3]: spot for spot in _HELD_INTERVALS.rows(connection, page_id)}
    places = _HELD.rows(connection, page_id)
    held = {ends.get(place) or (*place, HIGHEST) for place in places}
    if gone := held - wanted:
        _GONE.each(connection, [(page_id, *spot[:3]) for spot in gone])
    return wanted - held


_of_page = dependency.c.page_id == sa.bindparam("of")
_place = (dependency.c.hash, dependency.c.node, dependency.c.low)
_HELD = Prepared(sa.select(*_place).where(_of_page), "of")
"""Without the high end, which would have to be looked up for each entry on its own."""
_HELD_INTERVALS = Prepared(
    sa.select(*_place, dependency.c.high).where(
        _of_page, dependency.c.node != sa.literal_column(str(ALWAYS))
    ),
    "of",
)
_HELD_HASHES = Prepared(sa.select(dependency.c.hash).where(_of_page), "of")
_HELD_OF_TABLES = Prepared(
    sa.select(dependency.c.hash).where(
        _of_page, ~sa.exists().where(part.c.hash == dependency.c.hash)
    ),
    "of",
)
_GONE = Prepared(
    sa.delete(dependency).where(
        _of_page, *(column == sa.bindparam(f"of_{column.name}") for column in _place)
    ),
    *("of", "of_hash", "of_node", "of_low"),
)
_ENTRY = ("page_id", "hash", "node", "low", "high")
_DEPENDS = Prepared(
    sa.insert(dependency).inline().values({name: sa.bindparam(name) for name in _ENTRY}), *_ENTRY
)


def _sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"
