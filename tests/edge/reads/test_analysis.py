"""What a SELECT says of its tables in words that name no column of theirs."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Engine

from app.edge.reads import matches

from .conftest import changes, compiled_plan, post, read, rows_of


class Lower(sa.String):
    """A text that the database itself writes small."""

    def bind_expression(self, bindparam: Any) -> Any:
        """Compare with what a function makes of the parameter."""
        return sa.func.lower(bindparam)


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
    """It is sorted by a column that only its name tells."""
    down = "DESC" in str(statement)
    altered(engine, statement.limit(1), sa.update(post).values(title="z" if down else "0"))


def test_a_parameter_that_the_database_changes_filters_nothing(engine: Engine) -> None:
    """Nobody knows what a function makes of it but the database."""
    statement = sa.select(post.c.title).where(post.c.slug == LOWER)
    altered(engine, statement, sa.update(post).where(post.c.id == 2).values(title="9"))


def altered(engine: Engine, statement: Any, write: Any) -> None:
    """A write to the second post alters a result and matches."""
    with engine.connect() as connection:
        for number, slug in enumerate("yz", start=1):
            connection.execute(sa.insert(post).values(id=number, slug=slug, title=str(number)))
        if "DESC" in str(statement):
            connection.execute(sa.update(post).where(post.c.id == 1).values(title="5"))
        changes(connection)
        was, dependencies = read(connection, statement)
        connection.execute(write.where(post.c.id == 2))
        assert rows_of(connection, statement) != was
        found = changes(connection)
        assert any(matches(d, c) for d in dependencies for c in found)


def test_distinct_on_leaves_rows_out() -> None:
    """So what decides which of them stays counts, whichever way it was said."""
    titles = sa.select(post.c.id, post.c.title).ext(postgresql.distinct_on(post.c.author_id))
    (source,) = compiled_plan(titles, postgresql.dialect()).sources
    assert source.mentioned == {"author_id", "id", "title"}
    assert source.interval is None
