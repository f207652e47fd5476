"""Analysis of SELECTs with sort labels, custom types and DISTINCT ON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine

from app.edge.dependencies import matches

from .conftest import POSTGRES, changes, compiled_plan, post, rows_of, run_and_record


class Lower(sa.String):
    """A text type whose parameters the database converts to lower case."""

    def bind_expression(self, bindparam: Any) -> Any:
        """Compare with the result of a function of the parameter."""
        return sa.func.lower(bindparam)


class Moment(sa.TypeDecorator[datetime]):
    """A custom type that changes values only in Python."""

    impl = sa.DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect: sa.Dialect) -> datetime | None:
        """Return the value unchanged."""
        return value


class Hourly(Moment):
    """A custom type whose values the database truncates."""

    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        """Read the result of a function of the column."""
        return sa.func.substr(column, 1, 13)

    def bind_expression(self, bindparam: Any) -> Any:
        """Compare with the result of a function of the parameter."""
        return sa.func.substr(bindparam, 1, 13)


START = datetime(2026, 1, 1)  # noqa: DTZ001 - the column has no zone
LOWER = sa.bindparam("slug", "Z", type_=Lower())
AT_THE_TOP = {
    "sorted by a name": sa.select(post.c.id, post.c.title).order_by("title"),
    "sorted downwards by a name": sa.select(post.c.id, post.c.title).order_by(sa.desc("title")),
    "sorted by a label's name": sa.select(post.c.id, post.c.title.label("t")).order_by("t"),
    "sorted by a column that is not selected": sa.select(post.c.id).order_by("title"),
    "sorted by a column of no table": sa.select(post.c.id).order_by(sa.column("title")),
}


@pytest.mark.parametrize("statement", AT_THE_TOP.values(), ids=AT_THE_TOP)
def test_a_row_that_was_not_shown_can_enter(engine: Engine, statement: Any) -> None:
    """A text label in ORDER BY counts as a reference to the column."""
    down = "DESC" in str(statement)
    assert_write_matches(
        engine, statement.limit(1), sa.update(post).values(title="z" if down else "0")
    )


def test_a_parameter_that_the_database_changes_filters_nothing(engine: Engine) -> None:
    """The value of the function is not known outside the database."""
    statement = sa.select(post.c.title).where(post.c.slug == LOWER)
    assert_write_matches(engine, statement, sa.update(post).where(post.c.id == 2).values(title="9"))


def assert_write_matches(engine: Engine, statement: Any, write: Any) -> None:
    """Assert that a write to the second post alters the result and matches a dependency."""
    with engine.connect() as connection:
        for number, slug in enumerate("yz", start=1):
            connection.execute(sa.insert(post).values(id=number, slug=slug, title=str(number)))
        if "DESC" in str(statement):
            connection.execute(sa.update(post).where(post.c.id == 1).values(title="5"))
        changes(connection)
        was, dependencies = run_and_record(connection, statement)
        connection.execute(write.where(post.c.id == 2))
        assert rows_of(connection, statement) != was
        logged_changes = changes(connection)
        assert any(matches(d, c) for d in dependencies for c in logged_changes)


@pytest.mark.parametrize(
    ("kind", "is_bounded"), [(Moment, True), (Hourly, False)], ids=["own", "cut"]
)
def test_an_instant_of_a_custom_type_limits_a_list(
    kind: type[sa.TypeDecorator[datetime]], *, is_bounded: bool
) -> None:
    """Unless the database converts it. Without an interval each new post would purge every list."""
    table = sa.Table(
        "post",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("published_at", kind),
    )
    at = table.c.published_at
    newest = sa.select(table).order_by(at.desc(), table.c.id).limit(1)
    (listed,) = compiled_plan(newest, sqlite.dialect()).tables
    assert (listed.interval is not None) is is_bounded
    (before,) = compiled_plan(sa.select(table).where(at < START), sqlite.dialect()).tables
    assert (before.interval is not None) is is_bounded


def test_distinct_on_leaves_rows_out() -> None:
    """The columns that decide which rows remain are dependencies."""
    titles: Any = sa.select(post.c.id, post.c.title)
    if hasattr(titles, "ext"):
        titles = titles.ext(postgresql.distinct_on(post.c.author_id))
    else:  # SQLAlchemy 2.0
        titles = titles.distinct(post.c.author_id)
    (source,) = compiled_plan(titles, POSTGRES).tables
    assert source.referenced_columns == frozenset({"author_id", "id", "title"})
    assert source.interval is None
