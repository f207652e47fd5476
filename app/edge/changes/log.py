"""Read and trim the change log: changes since a log position, and unresolved changes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from . import history, postgresql_triggers, sqlite_triggers
from .change import EVERYTHING_CHANGED, Change, RowImage
from .log_position import current_log_position
from .metadata import delete_meta, get_meta, set_meta
from .tables import CHANGE

KEEP_RESOLVED = 5_000
"""The number of newest changes that are kept for renders that began before them."""

SWEEP_BATCH = 10_000
"""The maximum number of changes that are deleted in one transaction."""

_TRIMMED_TO_KEY = "floor"
_PURGED_UP_TO_KEY = "answered"
"""The key of the log position up to which a purge of everything covers all changes."""
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
    """Return the changes that were committed after `position`; None if they can't be determined.

    They can't if there are more than `limit`, if the log was trimmed beyond the position, or if
    the position does not belong to this log.
    """
    later = _after_known_position(connection, position)
    if later is None:
        return None
    rows = connection.execute(sa.select(*_CHANGE_COLUMNS).where(later).limit(limit + 1)).all()
    return None if len(rows) > limit else [_change(row) for row in rows]


def unresolved_changes(connection: Connection, *, limit: int) -> list[Change]:
    """Return the unresolved changes, oldest first, at most `limit + 1`."""
    return [change for _, change in _load_unresolved(connection, limit)]


def take_unresolved(connection: Connection, *, limit: int) -> list[Change]:
    """Return the oldest unresolved changes and set them resolved.

    If there are more than `limit`, return `limit + 1` of them and store only the log position up
    to which one purge of everything covers them: an UPDATE of a million rows would hold its locks
    for too long. Otherwise only the returned changes are set resolved, because on PostgreSQL a
    later statement of the transaction also sees changes that were committed in between.
    """
    numbered_changes = _load_unresolved(connection, limit)
    if len(numbered_changes) > limit:
        history.append_batch_id(connection)
        set_meta(connection, _PURGED_UP_TO_KEY, current_log_position(connection))
    elif numbered_changes:
        _set_resolved(connection, [number for number, _ in numbered_changes])
    return [change for _, change in numbered_changes]


def count_unresolved(connection: Connection) -> int:
    """Return the number of changes that are not resolved or not yet deleted by `sweep`."""
    return connection.scalar(sa.select(sa.func.count()).where(~_log.c.resolved)) or 0


def needs_sweep(connection: Connection) -> bool:
    """Return whether there may be changes that `sweep` has to delete."""
    return get_meta(connection, _PURGED_UP_TO_KEY) is not None


def sweep(connection: Connection, *, limit: int = SWEEP_BATCH) -> int:
    """Delete changes that a purge of everything covers; return their number.

    Changes that a response in progress may have to be compared with are kept.
    """
    purged_up_to = _purged_up_to(connection)
    if purged_up_to is None:
        delete_meta(connection, _PURGED_UP_TO_KEY)
        return 0
    sweepable_ids = sa.select(_log.c.id).where(
        ~_log.c.resolved, _before_position(connection, purged_up_to)
    )
    deleted_rows = connection.execute(
        sa.delete(_log)
        .where(_log.c.id.in_(sweepable_ids.order_by(_log.c.id).limit(limit)))
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
    """Return the log position up to which everything was purged; None if a restore brought it."""
    position = get_meta(connection, _PURGED_UP_TO_KEY)
    if position is None:
        return None
    newest = current_log_position(connection)
    if not _is_sqlite(connection):
        newest = newest.split(":")[1]
    return position if int(position.partition(":")[0]) <= int(newest) else None


def _snapshot_bound(function: str) -> sa.ColumnElement[int]:
    """Return a bound of PostgreSQL's current snapshot as a bigint, the type of `xid` in the log."""
    return sa.literal_column(f"CAST(CAST({function}(pg_current_snapshot()) AS text) AS bigint)")


def _before_position(connection: Connection, position: str) -> sa.ColumnElement[bool]:
    """Return the condition for changes before a position and before every open transaction."""
    if _is_sqlite(connection):
        return _log.c.id <= int(position)
    return sa.and_(
        _log.c.xid < _snapshot_bound("pg_snapshot_xmin"),
        sa.text(_VISIBLE).bindparams(position=position),
    )


def _load_unresolved(connection: Connection, limit: int) -> list[tuple[int, Change]]:
    query = sa.select(_log.c.id, *_CHANGE_COLUMNS).where(~_log.c.resolved).order_by(_log.c.id)
    if (purged_up_to := _purged_up_to(connection)) is not None:
        query = query.where(_after_position(connection, purged_up_to))
        if not _is_sqlite(connection):  # higher numbers come from a restored log and are covered
            query = query.where(_log.c.xid <= _snapshot_bound("pg_snapshot_xmax"))
    return [(row.id, _change(row[1:])) for row in connection.execute(query.limit(limit + 1))]


def is_from_other_cluster(connection: Connection) -> bool:
    """Return whether the log was restored from another cluster, whose numbers are unrelated."""
    if _is_sqlite(connection):
        return False
    highest = connection.scalar(sa.select(sa.func.max(_log.c.xid))) or 0
    highest = max(highest, int(get_meta(connection, _TRIMMED_TO_KEY) or 0))
    newest: int = connection.execute(sa.select(_snapshot_bound("pg_snapshot_xmax"))).scalar_one()
    return highest > newest


def reset_log(connection: Connection) -> None:
    """Delete the log and its metadata, and log that anything may have changed."""
    connection.execute(sa.delete(_log))
    for name in (_TRIMMED_TO_KEY, _PURGED_UP_TO_KEY):
        delete_meta(connection, name)
    history.start_new_history(connection)
    append_change(connection, EVERYTHING_CHANGED)


def append_change(connection: Connection, change: Change) -> None:
    """Log a change that no trigger logs, in the caller's transaction."""
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
    """Return the id of the newest change that this transaction sees; 0 if there is none."""
    return connection.scalar(sa.select(sa.func.max(_log.c.id))) or 0


def changes_of_this_transaction(connection: Connection, *, after: int, limit: int) -> list[Change]:
    """Return the changes that this transaction logged after an id, at most `limit + 1`."""
    mine = _log.c.id > after
    if not _is_sqlite(connection):
        mine &= _log.c.xid == sa.text("pg_current_xact_id()::text::bigint")
    query = sa.select(*_CHANGE_COLUMNS).where(mine).order_by(_log.c.id).limit(limit + 1)
    return [_change(row) for row in connection.execute(query)]


def newest_changes(connection: Connection, *, limit: int) -> list[tuple[int, Change]]:
    """Return the newest changes of the log with their ids, newest first."""
    query = sa.select(_log.c.id, *_CHANGE_COLUMNS).order_by(_log.c.id.desc()).limit(limit)
    return [(row.id, _change(row[1:])) for row in connection.execute(query)]


def _set_resolved(connection: Connection, numbers: Sequence[int]) -> None:
    """Set sweepable_ids changes resolved, and delete the oldest resolved changes."""
    history.append_batch_id(connection)
    connection.execute(sa.update(_log).where(_log.c.id.in_(numbers)).values(resolved=True))
    if needs_sweep(connection):
        return  # otherwise each call would scan all changes that `sweep` has to delete
    trimmed = sa.and_(_log.c.resolved, _log.c.id <= last_change_id(connection) - KEEP_RESOLVED)
    highest = connection.scalar(
        sa.select(sa.func.max(_log.c.id if _is_sqlite(connection) else _log.c.xid)).where(trimmed)
    )
    if highest is None:
        return
    connection.execute(sa.delete(_log).where(trimmed))
    _note_trimmed(connection, highest)


def _note_trimmed(connection: Connection, number: int) -> None:
    """Store the highest deleted number: older log positions can't be compared."""
    set_meta(
        connection,
        _TRIMMED_TO_KEY,
        str(max(number, int(get_meta(connection, _TRIMMED_TO_KEY) or 0))),
    )


def _after_known_position(connection: Connection, position: str) -> sa.ColumnElement[bool] | None:
    """Return the condition for changes after a position; None if it can't be compared."""
    floor = int(get_meta(connection, _TRIMMED_TO_KEY) or 0)
    if _is_sqlite(connection):
        newest = int(current_log_position(connection))
        is_comparable = position.isdecimal() and floor <= int(position) <= newest
    else:
        oldest = position.partition(":")[0]
        is_comparable = oldest.isdecimal() and int(oldest) > floor
    return _after_position(connection, position) if is_comparable else None


def _after_position(connection: Connection, position: str) -> sa.ColumnElement[bool]:
    if _is_sqlite(connection):
        return _log.c.id > int(position)
    return sa.and_(
        _log.c.xid >= int(position.partition(":")[0]),
        sa.text(f"NOT {_VISIBLE}").bindparams(position=position),
    )


_VISIBLE = "pg_visible_in_snapshot(CAST(CAST(xid AS text) AS xid8), CAST(:position AS pg_snapshot))"


def _is_sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _change(row: Sequence[Any]) -> Change:
    table, op, old, new, changed_columns, at = row
    written_at = None if at is None else _EPOCH + timedelta(microseconds=at)
    return Change.from_row(table, op, (old, new), changed_columns, written_at)
