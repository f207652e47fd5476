"""A log position: identifies the changes that were committed when it was read.

SQLite has one writer at a time, so the position is the last id. On PostgreSQL a change with a
lower id may be committed later, so the position is the snapshot.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import CHANGE

LOG_POSITION_QUERY = {
    "sqlite": f"SELECT seq FROM sqlite_sequence WHERE name = '{CHANGE}'",
    "postgresql": "SELECT CAST(pg_current_snapshot() AS text)",
}
"""The query for the current position, by dialect name; no row means an empty log."""


def current_log_position(connection: Connection) -> str:
    """Return the current log position; call it before the first read."""
    return str(
        connection.exec_driver_sql(LOG_POSITION_QUERY[connection.dialect.name]).scalar() or 0
    )


def has_changed_since(connection: Connection, since: str) -> bool:
    """Return whether a change was committed after the log position `since`.

    Also return True if the position can't be parsed or is ahead of the log (a restored database).
    """
    if connection.dialect.name == "sqlite":
        return current_log_position(connection) != since
    try:
        with connection.begin_nested():
            return bool(connection.scalar(_COMMITTED_SINCE, {"since": since}))
    except sa.exc.DBAPIError:
        return True


_COMMITTED_SINCE = sa.text(
    f"SELECT EXISTS (SELECT 1 FROM {CHANGE} "
    "WHERE xid >= pg_snapshot_xmin(CAST(:since AS pg_snapshot))::text::bigint "
    "AND NOT pg_visible_in_snapshot(xid::text::xid8, CAST(:since AS pg_snapshot))) "
    "OR pg_snapshot_xmin(CAST(:since AS pg_snapshot)) > pg_snapshot_xmax(pg_current_snapshot())",
)
