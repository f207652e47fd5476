"""SQL that an application renders itself may name any table, so its pages are not shared."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles, deregister
from sqlalchemy.sql.elements import ClauseElement, ColumnElement, quoted_name
from sqlalchemy.sql.functions import FunctionElement, GenericFunction
from sqlalchemy.sql.selectable import FromClause

from app.edge.dependencies import PublicSchema, UnshareableQueryError, analyse_select

from ..dependencies.conftest import SCHEMA, WATCHED, compiled_plan, post, private

SECRET = "(SELECT max(id) FROM private)"


class Hidden(ColumnElement[int]):
    """A column that renders a subquery."""

    inherit_cache = True
    type = sa.Integer()


class HiddenCondition(ClauseElement):
    """A condition that renders a subquery."""

    inherit_cache = True


class Nameless(FunctionElement[Any]):
    """A function without a name, as in SQLAlchemy's documentation."""

    inherit_cache = True
    type = sa.DateTime()


class Lower(GenericFunction[str]):
    """A function of the application with a well-known name."""

    inherit_cache = True
    type = sa.String()
    name = "lower"
    identifier = "edge_test_lower"


class Declared(GenericFunction[str]):
    """A function of the application with a name of its own."""

    inherit_cache = True
    type = sa.String()
    name = "edge_declared"


class Spelt(sa.types.UserDefinedType[int]):
    """A type whose SQL name the application defines."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """Its name in SQL."""
        return "INTEGER"


class ReadsElsewhere(sa.TypeDecorator[int]):
    """A type that reads another table for each value."""

    impl = sa.Integer
    cache_ok = True

    def column_expression(self, column: Any) -> Any:
        """Read a number from an undeclared table."""
        return column + sa.select(sa.func.max(private.c.id)).scalar_subquery()


class RendersElsewhere(sa.types.UserDefinedType[int]):
    """A type that renders custom SQL for each parameter."""

    cache_ok = True

    def get_col_spec(self, **_options: Any) -> str:
        """Its name in SQL."""
        return "INTEGER"

    def bind_expression(self, _bindvalue: Any) -> Any:
        """Compare with something else."""
        return Hidden()


class ReadsBeside(sa.TypeDecorator[int]):
    """A type that reads another column of the row."""

    impl = sa.Integer
    cache_ok = True

    def column_expression(self, _column: Any) -> Any:
        """Read the title instead."""
        return sa.func.length(post.c.title)


@compiles(Hidden)
@compiles(HiddenCondition)
def _secret(_element: Any, _compiler: Any, **_options: Any) -> str:
    return SECRET


@compiles(Nameless)
@compiles(Lower)
@compiles(Declared)
def _function(_element: Any, _compiler: Any, **_options: Any) -> str:
    return SECRET


def _typed(kind: Any) -> Any:
    table = sa.table("post", sa.column("id", kind))
    return sa.select(table.c.id)


CUSTOM: dict[str, Any] = {
    "a column": lambda: sa.select(post.c.id, Hidden()),
    "a labelled column": lambda: sa.select(post.c.id, Hidden().label("n")),
    "a condition": lambda: sa.select(post.c.id).where(post.c.id == Hidden()),
    "an order": lambda: sa.select(post.c.id).order_by(Hidden()),
    "within a function": lambda: sa.select(sa.func.max(Hidden()), post.c.id),
    "within a CTE": lambda: sa.select(sa.select(post.c.id, Hidden()).cte("c")),
    "a function without a name": lambda: sa.select(post.c.id).where(post.c.id > Nameless()),
    "a function with a well-known name": lambda: sa.select(Lower(post.c.title)),
    "a function that is not declared": lambda: sa.select(Declared(post.c.title)),
    "an operator of words": lambda: sa.select(post.c.id).where(
        post.c.id.op("IN (SELECT id FROM private) OR 0 =")(1)
    ),
    "a name that is not quoted": lambda: sa.select(
        post.c.id, sa.column(quoted_name(SECRET, quote=False))
    ),
    "a cast to a type of the application's": lambda: sa.select(sa.cast(post.c.id, Spelt())),
    "a type that reads a table": lambda: sa.select(sa.type_coerce(post.c.id, ReadsElsewhere())),
    "a column of a type that reads a table": lambda: _typed(ReadsElsewhere()),
    "a type that reads a column": lambda: _typed(ReadsBeside()),
    "a parameter of a type that reads": lambda: sa.select(post.c.id).where(
        post.c.id == sa.bindparam("n", 1, type_=RendersElsewhere())
    ),
}


@pytest.mark.parametrize("statement", CUSTOM.values(), ids=CUSTOM)
def test_what_an_application_renders_is_raw_sql(statement: Any) -> None:
    """Its tables can't be determined."""
    with pytest.raises(UnshareableQueryError):
        analyse_select(statement().compile(dialect=sqlite.dialect()), SCHEMA)


@pytest.mark.parametrize("kind", [sa.Column, sa.sql.selectable.Select, sa.sql.elements.Case])
def test_an_override_of_a_class_of_sqlalchemy_is_raw_sql(kind: Any) -> None:
    """`@compiles` changes what SQLAlchemy's own classes become, for one database or for all."""
    statement = sa.select(post.c.id, sa.case((post.c.id == 1, 2), else_=3))
    original = kind._compiler_dispatch
    compiles(kind, "sqlite")(original)
    kind._original_compiler_dispatch = original
    try:
        with pytest.raises(UnshareableQueryError, match="@compiles"):
            compiled_plan(statement)
    finally:
        deregister(kind)
    compiled_plan(statement)


def test_an_override_for_another_database_changes_nothing() -> None:
    """A `@compiles` function for MySQL is not used on SQLite."""
    kind: Any = sa.Column
    original = kind._compiler_dispatch
    compiles(kind, "mysql")(lambda *_, **__: SECRET)
    kind._original_compiler_dispatch = original
    try:
        compiled_plan(sa.select(post.c.id))
    finally:
        deregister(kind)


class OurSelect(sa.Select[Any]):
    """A subclass that only adds a method, as in SQLModel."""

    inherit_cache = True

    def newest(self) -> Any:
        """A method that SQLAlchemy never calls."""
        return self.order_by(post.c.id.desc())


ORDINARY = {
    "a declared function": sa.select(Declared(post.c.title)),
    "an operator of signs": sa.select(post.c.id).where(post.c.title.op("<->")("x") == 1),
    "a well-known operator": sa.select(post.c.id).where(post.c.title.op("GLOB")("x*")),
    "a subclass that renders the same": OurSelect(post.c.id).newest(),
    "a cast": sa.select(sa.cast(post.c.id, sa.String)),
}


@pytest.mark.parametrize("statement", ORDINARY.values(), ids=ORDINARY)
def test_what_sqlalchemy_renders_is_understood(statement: Any) -> None:
    """Subclasses that do not change the SQL, and declared functions, are allowed."""
    schema = PublicSchema.from_watched_tables(WATCHED, functions=("edge_declared",))
    plan = analyse_select(statement.compile(dialect=sqlite.dialect()), schema)
    assert {source.table for source in plan.tables} == {"post"}


class HiddenTable(FromClause):
    """A FROM clause that renders another table."""

    inherit_cache = True
    named_with_column = False

    def _populate_column_collection(self, *_: Any) -> None:
        """It has no columns."""


@compiles(HiddenTable)
def _table(_element: Any, _compiler: Any, **_options: Any) -> str:
    return "private"


def test_a_from_clause_of_the_applications_is_raw_sql() -> None:
    """Its SQL may contain any table."""
    with pytest.raises(UnshareableQueryError):
        compiled_plan(sa.select(post.c.id).select_from(HiddenTable()))


def test_values_and_lateral_subqueries_are_looked_into() -> None:
    """An undeclared table is found in each part of a statement."""
    values = sa.values(sa.column("n", sa.Integer), name="v").data(
        [(sa.select(private.c.id).scalar_subquery(),)]
    )
    with pytest.raises(UnshareableQueryError):
        compiled_plan(sa.select(values.c.n))
    with pytest.raises(UnshareableQueryError):
        compiled_plan(sa.select(post.c.id, sa.select(private.c.id).lateral("l").c.id))
