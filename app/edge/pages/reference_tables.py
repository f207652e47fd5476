"""What the hashes of the index stand for: the shapes of dependencies, and the parts of pages."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.prepared_statement import PreparedStatement
from ..dependencies.dependency import Part
from .dependency_shape import DependencyShape
from .index_entries import cached_entry
from .tables import part, shape


def ensure_shapes(connection: Connection, shapes: Iterable[DependencyShape]) -> None:
    """Make sure that every shape is known to whoever resolves."""
    wanted = {found.digest: found for found in shapes}
    for digest in sorted(wanted.keys() - _existing_values(connection, shape.c.digest, wanted)):
        found = wanted[digest]
        connection.execute(
            _insert_or_ignore(connection, shape).values(
                digest=digest,
                kind=found.kind,
                of_table=found.table,
                columns=json.dumps(found.columns),
                equal=json.dumps(found.equality_columns),
                sort=found.sort_column,
                via=json.dumps(found.semi_join.to_list() if found.semi_join else []),
            ),
        )


def ensure_parts(connection: Connection, parts: Iterable[Part]) -> None:
    """Make sure that a release finds every part by its name.

    Those of entries that are kept as well: a release forgets parts, and leaves pages' entries.
    """
    wanted = {cached_entry(found)[0][0]: found for found in parts}
    known = _existing_values(connection, part.c.hash, wanted)
    rows = [
        {"hash": hashed, "kind": found.kind, "name": found.name, "digest": found.digest}
        for hashed, found in sorted(wanted.items())
        if hashed not in known
    ]
    if rows:
        connection.execute(_insert_or_ignore(connection, part), rows)


def _existing_values(
    connection: Connection, column: sa.Column[Any], wanted: Collection[Any]
) -> set[Any]:
    """Those of the values that the column has."""
    if not wanted:
        return set()
    return {value for (value,) in _select_in(column, len(wanted)).fetch_all(connection, *wanted)}


@lru_cache(maxsize=512)
def _select_in(column: sa.Column[Any], count: int) -> PreparedStatement:
    names = [f"value_{number}" for number in range(count)]
    return PreparedStatement(sa.select(column).where(column.in_(map(sa.bindparam, names))), *names)


def _insert_or_ignore(connection: Connection, table: sa.Table) -> sa.Insert:
    if connection.dialect.name == "sqlite":
        return sa.insert(table).prefix_with("OR IGNORE")
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - only there

    return insert(table).on_conflict_do_nothing()
