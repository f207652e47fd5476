"""Notes beside the change log: one value a name."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .tables import META

_meta = sa.table(META, sa.column("name"), sa.column("value"))


def get_meta(connection: Connection, name: str) -> str | None:
    """What was noted under a name."""
    return connection.scalar(sa.select(_meta.c.value).where(_meta.c.name == name))


def set_meta(connection: Connection, name: str, value: str) -> None:
    """Note a value in place of the one before."""
    connection.execute(sa.delete(_meta).where(_meta.c.name == name))
    connection.execute(sa.insert(_meta).values(name=name, value=value))


def delete_meta(connection: Connection, name: str) -> None:
    """Have nothing noted under a name any more."""
    connection.execute(sa.delete(_meta).where(_meta.c.name == name))
