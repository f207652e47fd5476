"""A mark in the change log: what was committed when it was taken, whatever the order of ids.

On SQLite writers come one after another, so the last id says it. On PostgreSQL a lower id may
be committed later, so the mark is the snapshot itself.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import CHANGE

LOG_POSITION_QUERY = {
    "sqlite": f"SELECT seq FROM sqlite_sequence WHERE name = '{CHANGE}'",
    "postgresql": "SELECT CAST(pg_current_snapshot() AS text)",
}
"""The query that takes a mark, by database; no row means that nothing was ever logged."""


def current_log_position(connection: Connection) -> str:
    """The mark of what is committed now; take it before the first read."""
    return str(
        connection.exec_driver_sql(LOG_POSITION_QUERY[connection.dialect.name]).scalar() or 0
    )


def has_changed_since(connection: Connection, since: str) -> bool:
    """Tell whether the log holds a change that was not committed yet at the mark `since`.

    A mark that can't be read, or that lies ahead of the log (a restored database), counts as
    changed.
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
