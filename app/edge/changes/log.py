"""Reading the change log: what came since a mark, and what nobody has resolved yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import chain, postgresql, sqlite
from .change import Change, Image
from .tables import CHANGE, META

KEPT = 5_000
"""Resolved entries that are kept for renders which began before them."""

_FLOOR = "floor"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = sa.table(
    CHANGE,
    *(sa.column(name) for name in ("id", "xid", "of_table", "op", "old", "new", "changed")),
    sa.column("resolved", sa.Boolean),
    sa.column("written_at", sa.BigInteger),
)
_meta = sa.table(META, sa.column("name"), sa.column("value"))
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
    returned must not be called resolved, unless the caller goes by there being too many.
    """
    found = _unresolved(connection, most)
    if found:
        _settle(connection, None if len(found) > most else [number for number, _ in found])
    return [change for _, change in found]


def _unresolved(connection: Connection, most: int) -> list[tuple[int, Change]]:
    query = sa.select(_log.c.id, *_ENTRY).where(~_log.c.resolved).order_by(_log.c.id)
    return [(row.id, _change(row[1:])) for row in connection.execute(query.limit(most + 1))]


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
            written_at=sa.text(sqlite.NOW if _sqlite(connection) else postgresql.NOW),
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


def _settle(connection: Connection, numbers: Sequence[int] | None) -> None:
    """Call these changes resolved, or all of them, and trim the log's old end."""
    chain.extend(connection)
    these = ~_log.c.resolved if numbers is None else _log.c.id.in_(numbers)
    connection.execute(sa.update(_log).where(these).values(resolved=True))
    oldest = connection.scalar(
        sa.select(_log.c.id).where(_log.c.resolved).order_by(_log.c.id.desc()).offset(KEPT).limit(1)
    )
    if oldest is None:
        return
    trimmed = sa.and_(_log.c.resolved, _log.c.id <= oldest)
    highest = connection.scalar(
        sa.select(sa.func.max(_log.c.id if _sqlite(connection) else _log.c.xid)).where(trimmed)
    )
    connection.execute(sa.delete(_log).where(trimmed))
    connection.execute(sa.delete(_meta).where(_meta.c.name == _FLOOR))
    connection.execute(sa.insert(_meta).values(name=_FLOOR, value=str(highest)))


def _later(connection: Connection, mark: str) -> sa.ColumnElement[bool] | None:
    floor = int(connection.scalar(sa.select(_meta.c.value).where(_meta.c.name == _FLOOR)) or 0)
    if _sqlite(connection):
        return _log.c.id > int(mark) if mark.isdecimal() and int(mark) >= floor else None
    oldest = mark.partition(":")[0]
    if not oldest.isdecimal() or int(oldest) <= floor:
        return None
    return sa.and_(
        _log.c.xid >= int(oldest),
        sa.text(
            "NOT pg_visible_in_snapshot(CAST(CAST(xid AS text) AS xid8), "
            "CAST(:mark AS pg_snapshot))",
        ).bindparams(mark=mark),
    )


def _sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _change(row: Sequence[Any]) -> Change:
    table, op, old, new, changed, at = row
    written = None if at is None else _EPOCH + timedelta(microseconds=at)
    return Change.of(table, op, (old, new), changed, written)
