"""Engine events: what a render record contains, and when a write is reported."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session, registry, selectinload

from app.edge.changes import current_log_position, has_changed_since
from app.edge.dependencies import Range, Row, recording
from app.edge.dependencies.engine_events import EngineListener, StatementKind, classify_statement
from app.edge.pages.resolver_lock import promptly

from .conftest import POSTGRES, SCHEMA, author, link, metadata, post, private, topic
from .conftest import engine as engine  # noqa: PLC0414 - a fixture is imported by its name

mapper = registry()


class Post:
    """A mapped post."""


class Topic:
    """A mapped topic."""


mapper.map_imperatively(Topic, topic)
mapper.map_imperatively(
    Post, post, properties={"topics": sa.orm.relationship(Topic, secondary=link)}
)


@pytest.fixture
def seeded(engine: Engine) -> Engine:
    """An engine with a listener, a post and its topic."""
    EngineListener(SCHEMA).attach(engine)
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="a", status="live", title="A"))
        connection.execute(sa.insert(topic).values(id=5, name="T"))
        connection.execute(sa.insert(link).values(post_id=1, topic_id=5))
    return engine


def test_what_the_orm_loads_is_recorded_with_its_relations(seeded: Engine) -> None:
    """The record contains the rows, their associations and the range of further rows."""
    with recording() as record, Session(seeded) as session:
        posts = session.scalars(
            sa.select(Post).where(post.c.status == "live").options(selectinload(Post.topics)),  # type: ignore[attr-defined]
        ).all()
        assert [topic.name for topic in posts[0].topics] == ["T"]  # type: ignore[attr-defined]
    rows = {(d.table, d.key) for d in record.dependencies if isinstance(d, Row)}
    ranges = {(d.table, d.equalities) for d in record.dependencies if isinstance(d, Range)}
    assert record.unshareable_reason is None
    assert rows >= {("post", (("id", "1"),)), ("topic", (("id", "5"),))}
    assert ("post", (("status", "live"),)) in ranges
    link_equalities: tuple[tuple[str, str], ...] = (("post_id", "1"),)
    if sa.__version__.startswith("2.0."):  # its SELECT joins `link` with `post`, where id = 1
        link_equalities = ()
        assert ("post", (("id", "1"),)) in ranges
        (joined,) = (d.semi_join for d in record.dependencies if d.table == "link")  # type: ignore[union-attr]
        assert joined is not None
        assert (joined.table, joined.equalities) == ("post", (("id", "1"),))
    assert ("link", link_equalities) in ranges


def test_an_absent_row_is_recorded(seeded: Engine) -> None:
    """A query without a result depends on the range that it searched."""
    with recording() as record, Session(seeded) as session:
        assert session.get(Post, 9) is None
    assert {d.equalities for d in record.dependencies if isinstance(d, Range)} == {(("id", "9"),)}


def test_nothing_is_recorded_outside_a_record(seeded: Engine) -> None:
    """A query after the end of a record does not change it."""
    with recording() as record:
        pass
    with seeded.connect() as connection:
        connection.execute(sa.select(post))
    assert record.dependencies == set()


def test_raw_sql_makes_the_record_unshareable(seeded: Engine) -> None:
    """The tables of textual SQL can't be determined."""
    with recording() as record, seeded.connect() as connection:
        connection.execute(sa.text("SELECT 1 FROM post"))
    assert "raw SQL" in (record.unshareable_reason or "")


def test_driver_level_sql_makes_the_record_unshareable(seeded: Engine) -> None:
    """The tables of SQL that is passed to the driver can't be determined either."""
    with recording() as record, seeded.connect() as connection:
        connection.exec_driver_sql("SELECT 1 FROM post")
    assert "raw SQL" in (record.unshareable_reason or "")


def test_an_undeclared_table_makes_the_record_unshareable(seeded: Engine) -> None:
    """A table that was not declared public must not reach a shared response."""
    with recording() as record, seeded.connect() as connection:
        connection.execute(sa.select(private))
    assert record.unshareable_reason == "the table private was not declared public"


def test_an_unknown_function_makes_the_record_unshareable(seeded: Engine) -> None:
    """A function may read more than its arguments, for example the clock."""
    with recording() as record, seeded.connect() as connection:
        connection.execute(sa.select(post.c.id).where(post.c.slug > sa.func.random()))
    assert "random()" in (record.unshareable_reason or "")


def test_1_13_a_write_makes_the_record_unshareable(seeded: Engine) -> None:
    """A request may roll back the rows that its response shows."""
    with recording() as record, seeded.connect() as connection:
        connection.execute(sa.update(post).values(title="B"))
        connection.execute(sa.select(post))
        connection.rollback()
    assert "writes" in (record.unshareable_reason or "")


def test_the_log_position_is_read_before_the_first_query(seeded: Engine) -> None:
    """A change that is committed after the first read is later than the log position."""
    with recording() as record, seeded.connect() as connection:
        connection.execute(sa.select(post))
        assert record.log_positions == [current_log_position(connection)]
    with seeded.begin() as connection:
        connection.execute(sa.update(author).values(name="x"))
        connection.execute(sa.update(post).values(title="x"))
    with seeded.begin() as connection:
        assert has_changed_since(connection, record.log_positions[0])


def test_a_finished_write_is_reported_once_and_a_read_never(engine: Engine) -> None:
    """`on_write` runs when the connection that wrote is returned to the pool."""
    calls: list[str] = []
    EngineListener(SCHEMA, on_write=lambda: calls.append("written")).attach(engine)
    with engine.connect() as connection:
        connection.execute(sa.select(post))
    assert calls == []
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        connection.execute(sa.insert(post).values(id=2, slug="b"))
        assert calls == []
    assert calls == ["written"]


def test_another_engine_makes_the_record_unshareable(seeded: Engine) -> None:
    """Changes through an untracked engine are not reported, even in the same database."""
    other = sa.create_engine("sqlite://")
    with recording() as record, other.connect() as connection:
        connection.execute(sa.select(sa.literal(1)).execution_options(edge_reads=()))
        assert record.unshareable_reason is None
        connection.execute(sa.select(sa.literal(1)))
    other.dispose()
    assert "not tracked" in (record.unshareable_reason or "")
    with recording() as own, seeded.execution_options(logging_token="x").connect() as connection:
        connection.execute(sa.select(post))
    assert own.unshareable_reason is None


def test_another_schema_makes_the_record_unshareable(seeded: Engine) -> None:
    """A table of the same name in another schema has no triggers, or those of another site."""
    with recording() as record, seeded.connect() as connection:
        translated = connection.execution_options(schema_translate_map={None: "main"})
        translated.execute(sa.select(post))
    assert "another schema" in (record.unshareable_reason or "")


MOMENTS = {
    "with a zone": lambda: datetime.now(UTC),
    "without one": lambda: datetime.now(UTC).replace(tzinfo=None),
    "by the clock on the wall": datetime.now,
}


@pytest.mark.parametrize("now", MOMENTS.values(), ids=MOMENTS)
def test_the_current_time_is_recorded(seeded: Engine, now: Any) -> None:
    """The result of such a query changes without a write."""
    with recording() as record, seeded.connect() as connection:
        connection.execute(sa.select(post).where(post.c.published_at <= datetime(2026, 1, 1)))  # noqa: DTZ001 - the column has no zone
        clock_before = record.clock
        connection.execute(sa.select(post).where(post.c.published_at <= now()))
    assert clock_before is None
    assert record.clock is not None
    assert "is the current time" in record.clock.what


def test_a_write_within_a_select_is_a_write() -> None:
    """PostgreSQL allows an UPDATE in the WITH clause of a SELECT."""
    update_cte = sa.update(post).values(title="x").returning(post.c.id).cte("changed")
    context = SimpleNamespace(
        isinsert=False, isupdate=False, isdelete=False, isddl=False, is_text=False,
        compiled=sa.select(update_cte.c.id).compile(dialect=POSTGRES),
    )  # fmt: skip
    assert classify_statement(str(context.compiled), context) is StatementKind.WRITE


def test_a_savepoint_is_no_read(seeded: Engine) -> None:
    """A view may query inside a savepoint."""
    with recording() as record, seeded.begin() as connection, connection.begin_nested():
        connection.execute(sa.select(post))
    assert record.unshareable_reason is None


def test_the_edges_own_writes_hold_the_lock_from_their_beginning(tmp_path: Path) -> None:
    """No other connection can write between the first read and the write, with any begin listener."""
    for begins in ("", "BEGIN"):
        engine = sa.create_engine(f"sqlite:///{tmp_path / 'plain.db'}", connect_args={"timeout": 0})
        if begins:
            event.listen(engine, "begin", lambda c: c.exec_driver_sql("BEGIN"))
        metadata.create_all(engine)
        EngineListener(SCHEMA).attach(engine)
        locked = pytest.raises(sa.exc.OperationalError, match="locked")
        with promptly(engine), engine.connect() as other, locked:
            other.execute(sa.insert(post).values(id=1))
        engine.dispose()


def test_two_listeners_of_an_engine_leave_the_rows_unchanged(seeded: Engine) -> None:
    """Two listeners on one engine both record the rows, and the application gets them."""
    EngineListener(SCHEMA).attach(seeded)
    with recording() as record, seeded.connect() as connection:
        assert [row.slug for row in connection.execute(sa.select(post))] == ["a"]
    assert record.unshareable_reason is None
    assert any(isinstance(d, Row) for d in record.dependencies)
