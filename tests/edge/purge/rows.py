"""Rows of the outbox and of the tiers in memory, for tests of single decisions."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.edge.changes.timestamps import to_microseconds
from app.edge.purge import EntryState, Tier
from app.edge.purge.entry_state import EntryKind
from app.edge.purge.tables import outbox
from app.edge.purge.tables import tier as tiers

from .conftest import CDN, NOW, metadata

AT = to_microseconds(NOW)
MICROSECOND = 1
SECOND = 1_000_000


def open_memory() -> Connection:
    """Return a connection to a database in memory, with the tables."""
    connection = sa.create_engine("sqlite://").connect()
    metadata.create_all(connection)
    return connection


def add_entry(connection: Connection, url: str = "/a", *, tier: Tier = CDN, **values: Any) -> int:
    """Insert an entry that is pending since NOW; return its id."""
    defaults = {
        "tier": tier.name,
        "depth": tier.depth,
        "kind": EntryKind.PAGE if url else EntryKind.EVERYTHING,
        "url": url,
        "tag": f"tag-{url}",
        "state": EntryState.PENDING,
        "again": False,
        "upto": 0,
        "due_at": AT,
        "enqueued_at": AT,
    }
    result = connection.execute(sa.insert(outbox).values(defaults | values))
    (entry_id,) = result.inserted_primary_key or (0,)
    return int(entry_id)


def add_tier(connection: Connection, tier: Tier = CDN, **values: Any) -> None:
    """Insert the row of a tier with one token."""
    defaults = {"name": tier.name, "depth": tier.depth, "flight": 0, "level": 1.0, "level_at": AT}
    connection.execute(sa.insert(tiers).values(defaults | values))


def get_entry(connection: Connection, entry_id: int) -> sa.Row[Any]:
    """Return the row of an entry."""
    return connection.execute(sa.select(outbox).where(outbox.c.id == entry_id)).one()


def get_entries(connection: Connection) -> list[sa.Row[Any]]:
    """Return all entries in the order of their ids."""
    return list(connection.execute(sa.select(outbox).order_by(outbox.c.id)))


def get_tier(connection: Connection, tier: Tier = CDN) -> sa.Row[Any]:
    """Return the row of a tier."""
    return connection.execute(sa.select(tiers).where(tiers.c.name == tier.name)).one()
