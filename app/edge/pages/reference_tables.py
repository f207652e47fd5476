"""Rows that index entries refer to: the shapes of dependencies and the parts of pages."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.prepared_statement import PreparedStatement
from ..dependencies.part import Part
from .dependency_shape import DependencyShape
from .index_entries import cached_entry
from .tables import part, shape


def ensure_shapes(connection: Connection, shapes: Iterable[DependencyShape]) -> None:
    """Insert the shapes that are missing, so that resolving finds them."""
    shapes_by_digest = {new_shape.digest: new_shape for new_shape in shapes}
    for digest in sorted(
        shapes_by_digest.keys() - _existing_values(connection, shape.c.digest, shapes_by_digest)
    ):
        new_shape = shapes_by_digest[digest]
        connection.execute(
            _insert_or_ignore(connection, shape).values(
                digest=digest,
                kind=new_shape.kind,
                of_table=new_shape.table,
                columns=json.dumps(new_shape.columns),
                equal=json.dumps(new_shape.equality_columns),
                sort=new_shape.sort_column,
                via=json.dumps(new_shape.semi_join.to_list() if new_shape.semi_join else []),
            ),
        )


def ensure_parts(connection: Connection, parts: Iterable[Part]) -> None:
    """Insert the parts that are missing, so that a release finds them by name.

    Pass the parts of unchanged entries too: a release deletes parts but keeps index entries.
    """
    parts_by_hash = {cached_entry(page_part)[0][0]: page_part for page_part in parts}
    existing = _existing_values(connection, part.c.hash, parts_by_hash)
    rows = [
        {"hash": hashed, "kind": page_part.kind, "name": page_part.name, "digest": page_part.digest}
        for hashed, page_part in sorted(parts_by_hash.items())
        if hashed not in existing
    ]
    if rows:
        connection.execute(_insert_or_ignore(connection, part), rows)


def _existing_values(
    connection: Connection, column: sa.Column[Any], values: Collection[Any]
) -> set[Any]:
    """Return the values that exist in the column."""
    if not values:
        return set()
    return {value for (value,) in _select_in(column, len(values)).fetch_all(connection, *values)}


@lru_cache(maxsize=512)
def _select_in(column: sa.Column[Any], count: int) -> PreparedStatement:
    names = [f"value_{number}" for number in range(count)]
    return PreparedStatement(sa.select(column).where(column.in_(map(sa.bindparam, names))), *names)


def _insert_or_ignore(connection: Connection, table: sa.Table) -> sa.Insert:
    if connection.dialect.name == "sqlite":
        return sa.insert(table).prefix_with("OR IGNORE")
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - only there

    return insert(table).on_conflict_do_nothing()
