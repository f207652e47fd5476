"""Key-value metadata of the change log and the page index (table `edge_meta`)."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import META

_meta = sa.table(META, sa.column("name"), sa.column("value"))


def get_meta(connection: Connection, name: str) -> str | None:
    """Return the value of a key, or None."""
    return connection.scalar(sa.select(_meta.c.value).where(_meta.c.name == name))


def set_meta(connection: Connection, name: str, value: str) -> None:
    """Set the value of a key."""
    connection.execute(sa.delete(_meta).where(_meta.c.name == name))
    connection.execute(sa.insert(_meta).values(name=name, value=value))


def delete_meta(connection: Connection, name: str) -> None:
    """Delete a key."""
    connection.execute(sa.delete(_meta).where(_meta.c.name == name))
