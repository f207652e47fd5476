"""Reading the change log: what came since a mark, and what nobody has resolved yet."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import history, postgresql_triggers, sqlite_triggers
from .change import EVERYTHING_CHANGED, Change, RowImage
from .log_position import current_log_position as mark_now
from .metadata import delete_meta, get_meta, set_meta
from .tables import CHANGE

KEEP_RESOLVED = 5_000
"""So many of the newest entries are kept for renders which began before them."""

SWEEP_BATCH = 10_000
"""So many entries at most are cleared away in one transaction."""

_TRIMMED_TO_KEY = "floor"
_PURGED_UP_TO_KEY = "answered"
"""The note of the mark up to which a purge of everything has answered all entries."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_log = sa.table(
    CHANGE,
    *(sa.column(name) for name in ("id", "xid", "of_table", "op", "old", "new", "changed")),
    sa.column("resolved", sa.Boolean),
    sa.column("written_at", sa.BigInteger),
)
_CHANGE_COLUMNS = (
    _log.c.of_table,
    _log.c.op,
    _log.c.old,
    _log.c.new,
    _log.c.changed,
    _log.c.written_at,
)


def changes_since(connection: Connection, position: str, *, limit: int) -> list[Change] | None:
    """The changes that were not committed yet at `mark`; None when they can't be told.

    That is so when there are more than `most`, when the log was trimmed past the mark, or when
    the mark is not one of this log.
    """
    later = _after_known_position(connection, position)
    if later is None:
        return None
    rows = connection.execute(sa.select(*_CHANGE_COLUMNS).where(later).limit(limit + 1)).all()
    return None if len(rows) > limit else [_change(row) for row in rows]


def unresolved_changes(connection: Connection, *, limit: int) -> list[Change]:
    """The changes that nobody resolved, the oldest first, at most one more than `most`."""
    return [change for _, change in _load_unresolved(connection, limit)]


def take_unresolved(connection: Connection, *, limit: int) -> list[Change]:
    """The same, called resolved from now on; all that there are when they are more than `most`.

    On PostgreSQL a later statement sees what was committed meanwhile, so that what is not
    returned must not be called resolved, unless the caller goes by there being too many. To write
    to each of a million would keep everybody waiting, so then only their mark is noted.
    """
    numbered_changes = _load_unresolved(connection, limit)
    if len(numbered_changes) > limit:
        history.append_batch_id(connection)
        set_meta(connection, _PURGED_UP_TO_KEY, mark_now(connection))
    elif numbered_changes:
        _set_resolved(connection, [number for number, _ in numbered_changes])
    return [change for _, change in numbered_changes]


def count_unresolved(connection: Connection) -> int:
    """How many entries wait to be resolved, or to be swept."""
    return connection.scalar(sa.select(sa.func.count()).where(~_log.c.resolved)) or 0


def needs_sweep(connection: Connection) -> bool:
    """Tell whether there may be entries to clear away."""
    return get_meta(connection, _PURGED_UP_TO_KEY) is not None


def sweep(connection: Connection, *, limit: int = SWEEP_BATCH) -> int:
    """Clear away entries that a purge of everything has answered; return how many.

    Not those that a response which is being made may have to be compared with.
    """
    purged_up_to = _purged_up_to(connection)
    if purged_up_to is None:
        delete_meta(connection, _PURGED_UP_TO_KEY)
        return 0
    these = sa.select(_log.c.id).where(~_log.c.resolved, _before_position(connection, purged_up_to))
    deleted_rows = connection.execute(
        sa.delete(_log)
        .where(_log.c.id.in_(these.order_by(_log.c.id).limit(limit)))
        .returning(_log.c.id, _log.c.xid)
    ).all()
    if deleted_rows:
        _note_trimmed(
            connection, max(r.id if _is_sqlite(connection) else r.xid for r in deleted_rows)
        )
    elif not count_unresolved(connection):
        delete_meta(connection, _PURGED_UP_TO_KEY)
    return len(deleted_rows)


def _purged_up_to(connection: Connection) -> str | None:
    """The mark up to which everything was purged; not one that a restore brought from elsewhere."""
    position = get_meta(connection, _PURGED_UP_TO_KEY)
    if position is None:
        return None
    newest = mark_now(connection)
    if not _is_sqlite(connection):
        newest = newest.split(":")[1]
    return position if int(position.partition(":")[0]) <= int(newest) else None


def _snapshot_bound(function: str) -> sa.ColumnElement[int]:
    """A bound of PostgreSQL's current snapshot, as the log keeps the numbers of transactions."""
    return sa.literal_column(f"CAST(CAST({function}(pg_current_snapshot()) AS text) AS bigint)")


def _before_position(connection: Connection, position: str) -> sa.ColumnElement[bool]:
    """What came before a mark, and before whatever is being written just now."""
    if _is_sqlite(connection):
        return _log.c.id <= int(position)
    return sa.and_(
        _log.c.xid < _snapshot_bound("pg_snapshot_xmin"),
        sa.text(_VISIBLE).bindparams(mark=position),
    )


def _load_unresolved(connection: Connection, limit: int) -> list[tuple[int, Change]]:
    query = sa.select(_log.c.id, *_CHANGE_COLUMNS).where(~_log.c.resolved).order_by(_log.c.id)
    if (purged_up_to := _purged_up_to(connection)) is not None:
        query = query.where(_after_position(connection, purged_up_to))
        if not _is_sqlite(connection):  # what has no number of ours was restored, and answered
            query = query.where(_log.c.xid <= _snapshot_bound("pg_snapshot_xmax"))
    return [(row.id, _change(row[1:])) for row in connection.execute(query.limit(limit + 1))]


def is_from_other_cluster(connection: Connection) -> bool:
    """Tell whether the log was restored from another cluster: its numbers mean nothing here."""
    if _is_sqlite(connection):
        return False
    highest = connection.scalar(sa.select(sa.func.max(_log.c.xid))) or 0
    highest = max(highest, int(get_meta(connection, _TRIMMED_TO_KEY) or 0))
    newest: int = connection.execute(sa.select(_snapshot_bound("pg_snapshot_xmax"))).scalar_one()
    return highest > newest


def reset_log(connection: Connection) -> None:
    """Forget the log and all that was noted of it; anything may have changed meanwhile."""
    connection.execute(sa.delete(_log))
    for name in (_TRIMMED_TO_KEY, _PURGED_UP_TO_KEY):
        delete_meta(connection, name)
    history.start_new_history(connection)
    append_change(connection, EVERYTHING_CHANGED)


def append_change(connection: Connection, change: Change) -> None:
    """Log a change that no trigger sees, in the caller's transaction."""
    xid = sa.literal(0) if _is_sqlite(connection) else sa.text("pg_current_xact_id()::text::bigint")
    connection.execute(
        sa.insert(_log).values(
            xid=xid,
            of_table=change.table,
            op=change.op.value,
            old=_encode_image(change.old),
            new=_encode_image(change.new),
            changed=json.dumps(sorted(change.changed_columns)) if change.changed_columns else None,
            written_at=sa.text(
                sqlite_triggers.NOW_SQL if _is_sqlite(connection) else postgresql_triggers.NOW_SQL
            ),
        ),
    )


def _encode_image(image: RowImage | None) -> str | None:
    return None if image is None else json.dumps(dict(image))


def last_change_id(connection: Connection) -> int:
    """The number of the newest entry that this transaction sees; 0 for none."""
    return connection.scalar(sa.select(sa.func.max(_log.c.id))) or 0


def changes_of_this_transaction(connection: Connection, *, after: int, limit: int) -> list[Change]:
    """What this very transaction logged after an entry, at most one more than `most`."""
    mine = _log.c.id > after
    if not _is_sqlite(connection):
        mine &= _log.c.xid == sa.text("pg_current_xact_id()::text::bigint")
    query = sa.select(*_CHANGE_COLUMNS).where(mine).order_by(_log.c.id).limit(limit + 1)
    return [_change(row) for row in connection.execute(query)]


def newest_changes(connection: Connection, *, limit: int) -> list[tuple[int, Change]]:
    """The entries that the log still holds with their numbers, the newest first."""
    query = sa.select(_log.c.id, *_CHANGE_COLUMNS).order_by(_log.c.id.desc()).limit(limit)
    return [(row.id, _change(row[1:])) for row in connection.execute(query)]


def _set_resolved(connection: Connection, numbers: Sequence[int]) -> None:
    """Call these changes resolved, and trim the log's old end."""
    history.append_batch_id(connection)
    connection.execute(sa.update(_log).where(_log.c.id.in_(numbers)).values(resolved=True))
    if needs_sweep(connection):
        return  # or each change would walk over all that is to be cleared away
    trimmed = sa.and_(_log.c.resolved, _log.c.id <= last_change_id(connection) - KEEP_RESOLVED)
    highest = connection.scalar(
        sa.select(sa.func.max(_log.c.id if _is_sqlite(connection) else _log.c.xid)).where(trimmed)
    )
    if highest is None:
        return
    connection.execute(sa.delete(_log).where(trimmed))
    _note_trimmed(connection, highest)


def _note_trimmed(connection: Connection, number: int) -> None:
    """A mark below this can't be compared any more."""
    set_meta(
        connection,
        _TRIMMED_TO_KEY,
        str(max(number, int(get_meta(connection, _TRIMMED_TO_KEY) or 0))),
    )


def _after_known_position(connection: Connection, position: str) -> sa.ColumnElement[bool] | None:
    """What came after a mark; None when that can't be told."""
    floor = int(get_meta(connection, _TRIMMED_TO_KEY) or 0)
    if _is_sqlite(connection):
        is_comparable = position.isdecimal() and int(position) >= floor
    else:
        oldest = position.partition(":")[0]
        is_comparable = oldest.isdecimal() and int(oldest) > floor
    return _after_position(connection, position) if is_comparable else None


def _after_position(connection: Connection, position: str) -> sa.ColumnElement[bool]:
    if _is_sqlite(connection):
        return _log.c.id > int(position)
    return sa.and_(
        _log.c.xid >= int(position.partition(":")[0]),
        sa.text(f"NOT {_VISIBLE}").bindparams(mark=position),
    )


_VISIBLE = "pg_visible_in_snapshot(CAST(CAST(xid AS text) AS xid8), CAST(:mark AS pg_snapshot))"


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _change(row: Sequence[Any]) -> Change:
    table, op, old, new, changed_columns, at = row
    written_at = None if at is None else _EPOCH + timedelta(microseconds=at)
    return Change.from_row(table, op, (old, new), changed_columns, written_at)
