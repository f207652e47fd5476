from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes.prepared_statement import PreparedStatement
from app.edge.pages.tables import part

HASH = part.c.hash == sa.bindparam("of_hash")
ADD = PreparedStatement(
    sa.insert(part).inline().values({column.name: sa.bindparam(column.name) for column in part.c}),
    *("digest", "name", "kind", "hash"),
)
NAMES = PreparedStatement(
    sa.select(part.c.name).where(HASH, part.c.kind == sa.bindparam("is")), "is", "of_hash"
)


def test_values_are_given_in_the_order_of_the_names(engine: Engine) -> None:
    """Whatever their order in the statement is."""
    with engine.begin() as connection:
        ADD.execute_many(connection, [("d", f"n{number}", "k", number) for number in (1, 2)])
        assert NAMES.fetch_all(connection, "k", 2) == [("n2",)]
        assert NAMES.fetch_all(connection, "other", 2) == []


def test_changed_rows_are_counted(engine: Engine) -> None:
    """An update that found nothing says 0."""
    update = PreparedStatement(
        sa.update(part).where(HASH).values(digest=sa.bindparam("to")), "to", "of_hash"
    )
    with engine.begin() as connection:
        ADD.execute_many(connection, [("d", "n", "k", 1)])
        assert [update.execute(connection, "e", number) for number in (1, 2)] == [1, 0]


def test_it_is_part_of_the_connections_transaction(engine: Engine) -> None:
    """What is rolled back was never there."""
    with engine.connect() as connection, connection.begin() as transaction:
        ADD.execute_many(connection, [("d", "n", "k", 1)])
        transaction.rollback()
    with engine.connect() as connection:
        assert NAMES.fetch_all(connection, "k", 1) == []


def test_an_error_is_sqlalchemys(engine: Engine) -> None:
    """Whoever registers catches one kind of error, whatever the driver."""
    absent = PreparedStatement(sa.select(sa.table("absent", sa.column("x"))))
    with engine.begin() as connection, pytest.raises(sa.exc.OperationalError, match="absent"):
        absent.fetch_all(connection)
