"""Random batch ids, one for each batch of resolved changes.

A gateway stores the latest batch id with its pages. If the database does not know this id, the
database was restored or replaced since, so the stored pages may not match it.
"""

from __future__ import annotations

import json
import secrets

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import META

MAX_BATCH_IDS = 500
"""The number of batch ids that are stored. A gateway that knows none of them is out of date."""

_HISTORY_KEY = "chain"
_meta = sa.table(META, sa.column("name"), sa.column("value"))


def batch_ids(connection: Connection) -> list[str]:
    """Return the batch ids, the latest one last."""
    stored = connection.scalar(sa.select(_meta.c.value).where(_meta.c.name == _HISTORY_KEY))
    return list(json.loads(stored)) if stored else []


def append_batch_id(connection: Connection) -> str:
    """Add a batch id in the transaction that resolves the changes; return it."""
    ids = batch_ids(connection)
    batch_id = secrets.token_hex(6)
    connection.execute(sa.delete(_meta).where(_meta.c.name == _HISTORY_KEY))
    value = json.dumps([*ids, batch_id][-MAX_BATCH_IDS:], separators=(",", ":"))
    connection.execute(sa.insert(_meta).values(name=_HISTORY_KEY, value=value))
    return batch_id


def start_new_history(connection: Connection) -> None:
    """Delete all batch ids and add a new one, so that every gateway is out of date."""
    connection.execute(sa.delete(_meta).where(_meta.c.name == _HISTORY_KEY))
    append_batch_id(connection)


def latest_batch_id(connection: Connection) -> str:
    """Return the latest batch id; add the first one if there is none."""
    ids = batch_ids(connection)
    return ids[-1] if ids else append_batch_id(connection)
