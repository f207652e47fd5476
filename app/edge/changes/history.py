"""A chain of random links, one for each batch of resolved changes.

Whoever keeps pages remembers the newest link; one that is not in the chain any more has seen
another history than the database, which was restored or exchanged meanwhile.
"""

from __future__ import annotations

import json
import secrets

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import META

MAX_BATCH_IDS = 500
"""How many links are remembered; who saw none of them missed too much to know what."""

_HISTORY_KEY = "chain"
_meta = sa.table(META, sa.column("name"), sa.column("value"))


def batch_ids(connection: Connection) -> list[str]:
    """The links, the newest last."""
    stored = connection.scalar(sa.select(_meta.c.value).where(_meta.c.name == _HISTORY_KEY))
    return list(json.loads(stored)) if stored else []


def append_batch_id(connection: Connection) -> str:
    """Add a link, in the transaction that resolves; return it."""
    ids = batch_ids(connection)
    batch_id = secrets.token_hex(6)
    connection.execute(sa.delete(_meta).where(_meta.c.name == _HISTORY_KEY))
    value = json.dumps([*ids, batch_id][-MAX_BATCH_IDS:], separators=(",", ":"))
    connection.execute(sa.insert(_meta).values(name=_HISTORY_KEY, value=value))
    return batch_id


def start_new_history(connection: Connection) -> None:
    """Begin another history, which nobody has seen."""
    connection.execute(sa.delete(_meta).where(_meta.c.name == _HISTORY_KEY))
    append_batch_id(connection)


def latest_batch_id(connection: Connection) -> str:
    """The newest link; the first one is made when there is none."""
    ids = batch_ids(connection)
    return ids[-1] if ids else append_batch_id(connection)
