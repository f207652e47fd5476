"""Reading the change log: what came since a mark, and what nobody has resolved yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import history, postgresql_triggers, sqlite_triggers
from .change import EVERYTHING, Change, Image
from .log_position import mark as mark_now
from .metadata import forget, note, noted
from .tables import CHANGE

KEPT = 5_000
"""So many of the newest entries are kept for renders which began before them."""

SWEPT = 10_000
"""So many entries at most are cleared away in one transaction."""

_FLOOR = "floor"
_ANSWERED = "answered"
"""The note of the mark up to which a purge of everything has answered all entries."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = sa.table(
    CHANGE,
    *(sa.column(name) for name in ("id", "xid", "of_table", "op", "old", "new", "changed")),
    sa.column("resolved", sa.Boolean),
    sa.column("written_at", sa.BigInteger),
)
_ENTRY = (_log.c.of_table, _log.c.op, _log.c.old, _log.c.new, _log.c.changed, _log.c.written_at)


def since(connection: Connection, mark: str, *, most: int) -> list[Change] | None:
    """The changes that were not committed yet at `mark`; None when they can't be told.

    That is so when there are more than `most`, when the log was trimmed past the mark, or when
    the mark is not one of this log.
    """
    later = _later(connection, mark)
    if later is None:
        return None
    rows = connection.execute(sa.select(*_ENTRY).where(later).limit(most + 1)).all()
    return None if len(rows) > most else [_change(row) for row in rows]


def unresolved(connection: Connection, *, most: int) -> list[Change]:
    """The changes that nobody resolved, the oldest first, at most one more than `most`."""
    return [change for _, change in _unresolved(connection, most)]


def take(connection: Connection, *, most: int) -> list[Change]:
    """The same, called resolved from now on; all that there are when they are more than `most`.

    On PostgreSQL a later statement sees what was committed meanwhile, so that what is not
    returned must not be called resolved, unless the caller goes by there being too many. To write
    to each of a million would keep everybody waiting, so then only their mark is noted.
    """
    found = _unresolved(connection, most)
    if len(found) > most:
        history.extend(connection)
        note(connection, _ANSWERED, mark_now(connection))
    elif found:
        _settle(connection, [number for number, _ in found])
    return [change for _, change in found]


def left(connection: Connection) -> int:
    """How many entries wait to be resolved, or to be swept."""
    return connection.scalar(sa.select(sa.func.count()).where(~_log.c.resolved)) or 0


def to_sweep(connection: Connection) -> bool:
    """Tell whether there may be entries to clear away."""
    return noted(connection, _ANSWERED) is not None


def sweep(connection: Connection, *, most: int = SWEPT) -> int:
    """Clear away entries that a purge of everything has answered; return how many.

    Not those that a response which is being made may have to be compared with.
    """
    answered = _answered(connection)
    if answered is None:
        forget(connection, _ANSWERED)
        return 0
    these = sa.select(_log.c.id).where(~_log.c.resolved, _before(connection, answered))
    gone = connection.execute(
        sa.delete(_log)
        .where(_log.c.id.in_(these.order_by(_log.c.id).limit(most)))
        .returning(_log.c.id, _log.c.xid)
    ).all()
    if gone:
        _raise_floor(connection, max(r.id if _sqlite(connection) else r.xid for r in gone))
    elif not left(connection):
        forget(connection, _ANSWERED)
    return len(gone)


def _answered(connection: Connection) -> str | None:
    """The mark up to which everything was purged; not one that a restore brought from elsewhere."""
    found = noted(connection, _ANSWERED)
    if found is None:
        return None
    newest = mark_now(connection)
    if not _sqlite(connection):
        newest = newest.split(":")[1]
    return found if int(found.partition(":")[0]) <= int(newest) else None


def _xid(function: str) -> sa.ColumnElement[int]:
    """A bound of PostgreSQL's current snapshot, as the log keeps the numbers of transactions."""
    return sa.literal_column(f"CAST(CAST({function}(pg_current_snapshot()) AS text) AS bigint)")


def _before(connection: Connection, answered: str) -> sa.ColumnElement[bool]:
    """What came before a mark, and before whatever is being written just now."""
    if _sqlite(connection):
        return _log.c.id <= int(answered)
    return sa.and_(
        _log.c.xid < _xid("pg_snapshot_xmin"), sa.text(_VISIBLE).bindparams(mark=answered)
    )


def _unresolved(connection: Connection, most: int) -> list[tuple[int, Change]]:
    query = sa.select(_log.c.id, *_ENTRY).where(~_log.c.resolved).order_by(_log.c.id)
    if (answered := _answered(connection)) is not None:
        query = query.where(_after(connection, answered))
        if not _sqlite(connection):  # what has no number of ours was restored, and answered
            query = query.where(_log.c.xid <= _xid("pg_snapshot_xmax"))
    return [(row.id, _change(row[1:])) for row in connection.execute(query.limit(most + 1))]


def is_foreign(connection: Connection) -> bool:
    """Tell whether the log was restored from another cluster: its numbers mean nothing here."""
    if _sqlite(connection):
        return False
    highest = connection.scalar(sa.select(sa.func.max(_log.c.xid))) or 0
    highest = max(highest, int(noted(connection, _FLOOR) or 0))
    newest: int = connection.execute(sa.select(_xid("pg_snapshot_xmax"))).scalar_one()
    return highest > newest


def begin_anew(connection: Connection) -> None:
    """Forget the log and all that was noted of it; anything may have changed meanwhile."""
    connection.execute(sa.delete(_log))
    for name in (_FLOOR, _ANSWERED):
        forget(connection, name)
    history.break_off(connection)
    append(connection, EVERYTHING)


def append(connection: Connection, change: Change) -> None:
    """Log a change that no trigger sees, in the caller's transaction."""
    xid = sa.literal(0) if _sqlite(connection) else sa.text("pg_current_xact_id()::text::bigint")
    connection.execute(
        sa.insert(_log).values(
            xid=xid,
            of_table=change.table,
            op=change.op.value,
            old=_spelt(change.old),
            new=_spelt(change.new),
            changed=json.dumps(sorted(change.changed)) if change.changed else None,
            written_at=sa.text(
                sqlite_triggers.NOW if _sqlite(connection) else postgresql_triggers.NOW
            ),
        ),
    )


def _spelt(image: Image | None) -> str | None:
    return None if image is None else json.dumps(dict(image))


def last(connection: Connection) -> int:
    """The number of the newest entry that this transaction sees; 0 for none."""
    return connection.scalar(sa.select(sa.func.max(_log.c.id))) or 0


def own(connection: Connection, *, after: int, most: int) -> list[Change]:
    """What this very transaction logged after an entry, at most one more than `most`."""
    mine = _log.c.id > after
    if not _sqlite(connection):
        mine &= _log.c.xid == sa.text("pg_current_xact_id()::text::bigint")
    query = sa.select(*_ENTRY).where(mine).order_by(_log.c.id).limit(most + 1)
    return [_change(row) for row in connection.execute(query)]


def newest(connection: Connection, *, most: int) -> list[tuple[int, Change]]:
    """The entries that the log still holds with their numbers, the newest first."""
    query = sa.select(_log.c.id, *_ENTRY).order_by(_log.c.id.desc()).limit(most)
    return [(row.id, _change(row[1:])) for row in connection.execute(query)]


def _settle(connection: Connection, numbers: Sequence[int]) -> None:
    """Call these changes resolved, and trim the log's old end."""
    history.extend(connection)
    connection.execute(sa.update(_log).where(_log.c.id.in_(numbers)).values(resolved=True))
    if to_sweep(connection):
        return  # or each change would walk over all that is to be cleared away
    trimmed = sa.and_(_log.c.resolved, _log.c.id <= last(connection) - KEPT)
    highest = connection.scalar(
        sa.select(sa.func.max(_log.c.id if _sqlite(connection) else _log.c.xid)).where(trimmed)
    )
    if highest is None:
        return
    connection.execute(sa.delete(_log).where(trimmed))
    _raise_floor(connection, highest)


def _raise_floor(connection: Connection, number: int) -> None:
    """A mark below this can't be compared any more."""
    note(connection, _FLOOR, str(max(number, int(noted(connection, _FLOOR) or 0))))


def _later(connection: Connection, mark: str) -> sa.ColumnElement[bool] | None:
    """What came after a mark; None when that can't be told."""
    floor = int(noted(connection, _FLOOR) or 0)
    if _sqlite(connection):
        known = mark.isdecimal() and int(mark) >= floor
    else:
        oldest = mark.partition(":")[0]
        known = oldest.isdecimal() and int(oldest) > floor
    return _after(connection, mark) if known else None


def _after(connection: Connection, mark: str) -> sa.ColumnElement[bool]:
    if _sqlite(connection):
        return _log.c.id > int(mark)
    return sa.and_(
        _log.c.xid >= int(mark.partition(":")[0]), sa.text(f"NOT {_VISIBLE}").bindparams(mark=mark)
    )


_VISIBLE = "pg_visible_in_snapshot(CAST(CAST(xid AS text) AS xid8), CAST(:mark AS pg_snapshot))"


def _sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _change(row: Sequence[Any]) -> Change:
    table, op, old, new, changed, at = row
    written = None if at is None else _EPOCH + timedelta(microseconds=at)
    return Change.of(table, op, (old, new), changed, written)
