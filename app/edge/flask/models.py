"""The tables of an app's models: the edge's own are added, and the others are watched."""

from __future__ import annotations

from collections.abc import Collection, Iterator

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from .. import changes, pages, purge
from ..changes import WatchedTable
from ..changes.column_comparison import is_byte_comparable
from ..dependencies.engine_events import INTERNAL_OPTIONS

_OTHER_TABLES = frozenset({"alembic_version"})


def define_edge_tables(metadata: sa.MetaData) -> frozenset[str]:
    """Define the tables of the library that `metadata` lacks, and return the names of all."""
    names: set[str] = set()
    for room in (changes, pages, purge):
        own = sa.MetaData()
        room.define_tables(own)
        if not own.tables.keys() <= metadata.tables.keys():
            room.define_tables(metadata)
        names |= own.tables.keys()
    return frozenset(names)


def find_missing_tables(engine: sa.Engine) -> str:
    """Return which tables of the library the database lacks, and what to do.

    Empty if it has all of them, or if it does not answer.
    """
    own = define_edge_tables(sa.MetaData())
    try:
        with engine.connect() as connection:
            connection = connection.execution_options(**INTERNAL_OPTIONS)  # noqa: PLW2901 - as there
            missing = sorted(own - set(sa.inspect(connection).get_table_names()))
    except (DBAPIError, PoolTimeoutError):
        return ""
    if not missing:
        return ""
    return (
        f"the database has no table {', '.join(missing)}: call define_tables(metadata) of changes, "
        "pages and purge before metadata.create_all(engine), or run `flask db upgrade`"
    )


def watch_models(
    metadata: sa.MetaData, *, exclude: Collection[str] = ()
) -> tuple[WatchedTable, ...]:
    """Return a declaration for each table that has a primary key, with the columns of its indexes.

    Columns with a unique constraint, an index or a foreign key are compared, and so are integers,
    booleans and enumerations; integers and columns with a date and a time are sort keys. Pages
    that compare or sort by another column are purged by every change of the table.
    """
    return tuple(
        WatchedTable(
            table=table.name,
            compared_columns=tuple(_compared_columns(table)),
            instant_columns=tuple(
                column.name for column in table.columns if isinstance(column.type, sa.DateTime)
            ),
        )
        for table in metadata.sorted_tables
        if table.name not in {*exclude, *_OTHER_TABLES}
        and table.schema is None
        and len(table.primary_key.columns)
    )


def _compared_columns(table: sa.Table) -> Iterator[str]:
    """Yield the columns by which rows are looked up, apart from the primary key."""
    unique = {
        column.name
        for constraint in table.constraints
        if isinstance(constraint, sa.UniqueConstraint)
        for column in constraint.columns
    }
    indexed = {column.name for index in table.indexes for column in index.columns}
    for column in table.columns:
        is_short = isinstance(column.type, sa.Boolean | sa.Enum | sa.Integer)
        is_key = column.name in unique | indexed or bool(column.foreign_keys)
        if (is_key or is_short) and not column.primary_key and is_byte_comparable(column):
            yield column.name
