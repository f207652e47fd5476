"""Prepared statements: order of the values, results, transaction and errors."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes.prepared_statement import PreparedStatement

from .conftest import post

ID = post.c.id == sa.bindparam("of_id")
COLUMNS = ("title", "slug", "status", "id")
ADD = PreparedStatement(
    sa.insert(post).inline().values({name: sa.bindparam(name) for name in reversed(COLUMNS)}),
    *COLUMNS,
)
SLUGS = PreparedStatement(
    sa.select(post.c.slug).where(ID, post.c.status == sa.bindparam("is")), "is", "of_id"
)


def test_values_are_passed_in_the_order_of_the_names(engine: Engine) -> None:
    """The order of the parameters in the statement does not matter."""
    with engine.begin() as connection:
        ADD.execute_many(connection, [("t", f"n{number}", "k", number) for number in (1, 2)])
        assert SLUGS.fetch_all(connection, "k", 2) == [("n2",)]
        assert SLUGS.fetch_all(connection, "other", 2) == []


def test_changed_rows_are_counted(engine: Engine) -> None:
    """An update that matches no row returns 0."""
    update = PreparedStatement(
        sa.update(post).where(ID).values(title=sa.bindparam("to")), "to", "of_id"
    )
    with engine.begin() as connection:
        ADD.execute_many(connection, [("t", "n", "k", 1)])
        assert [update.execute(connection, "e", number) for number in (1, 2)] == [1, 0]


def test_it_is_part_of_the_connections_transaction(engine: Engine) -> None:
    """A rollback also undoes a prepared statement."""
    with engine.connect() as connection, connection.begin() as transaction:
        ADD.execute_many(connection, [("t", "n", "k", 1)])
        transaction.rollback()
    with engine.connect() as connection:
        assert SLUGS.fetch_all(connection, "k", 1) == []


ERRORS: dict[str, type[sa.exc.DBAPIError]] = {
    "sqlite": sa.exc.OperationalError,
    "postgresql": sa.exc.ProgrammingError,
}


def test_an_error_is_sqlalchemys(engine: Engine) -> None:
    """The error of any driver is raised as the SQLAlchemy exception of its kind."""
    absent = PreparedStatement(sa.select(sa.table("absent", sa.column("x"))))
    error = ERRORS[engine.dialect.name]
    with engine.begin() as connection, pytest.raises(error, match="absent"):
        absent.fetch_all(connection)
