"""Declarations that can't be watched are refused before anything is installed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Engine

from app.edge.changes import WatchedTable, install_triggers
from app.edge.changes.declaration import NotWatchableError
from app.edge.changes.triggers import install_and_test

from .test_key_types import small_app

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.live)]


@pytest.fixture(params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """The name of each database."""
    return str(request.param)


@pytest.fixture
def bare(request: pytest.FixtureRequest, database: str) -> Engine:
    """An engine over an empty database."""
    engine: Engine = request.getfixturevalue(f"{database}_engine")
    return engine


def thing() -> sa.Table:
    """Return a table with columns that `instant_columns` refuses, and columns that it accepts."""
    return sa.Table(
        "thing",
        sa.MetaData(),
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("title", sa.Text),
        sa.Column("number", sa.Integer),
        sa.Column("price", sa.Numeric),
        sa.Column("weight", sa.Float().with_variant(sa.Numeric(), "postgresql")),
        sa.Column("flag", sa.Boolean),
        sa.Column("day", sa.Date),
        sa.Column("hour", sa.Time),
        sa.Column("raw", sa.LargeBinary),
        sa.Column("document", sa.JSON),
        sa.Column("fine", sa.JSON().with_variant(postgresql.JSONB(), "postgresql")),
        sa.Column("at", sa.DateTime),
        sa.Column("zoned", sa.DateTime(timezone=True)),
    )


REFUSED = {
    **{
        f"instants of {name}": (
            WatchedTable(table="thing", instant_columns=(name,)),
            f"thing.{name} is of the",
        )
        for name in ("number", "title", "price", "flag", "day", "hour", "raw", "document", "fine")
    },
    "an unknown column": (
        WatchedTable(table="thing", compared_columns=("nope",)),
        "thing has no column nope",
    ),
    "an unknown instant": (
        WatchedTable(table="thing", instant_columns=("nope",)),
        "thing has no column nope",
    ),
    "an unknown silent column": (
        WatchedTable(table="thing", ignored_columns=("no",)),
        "thing has no column no",
    ),
    "an unknown handle": (
        WatchedTable(table="thing", lookup_column="slug"),
        "thing has no column slug",
    ),
    "a silent key": (
        WatchedTable(table="thing", ignored_columns=("id",)),
        "thing.id is in `ignored_columns`, but",
    ),
    "silent and compared": (
        WatchedTable(table="thing", compared_columns=("title",), ignored_columns=("title",)),
        "thing.title is in `ignored_columns`, but",
    ),
    "silent and an instant": (
        WatchedTable(table="thing", instant_columns=("at",), ignored_columns=("at",)),
        "thing.at is in `ignored_columns`, but",
    ),
    "an unknown table": (WatchedTable(table="things"), "no table things"),
    "a table of the edge": (
        WatchedTable(table="edge_change"),
        "edge_change is a table of the edge",
    ),
}


@pytest.mark.parametrize(("watched", "reason"), REFUSED.values(), ids=REFUSED)
def test_a_declaration_that_cannot_work_is_refused_with_its_reason(
    bare: Engine, tmp_path: Path, watched: WatchedTable, reason: str
) -> None:
    """The command exits with 1 and the reason, installs no trigger, and every write succeeds."""
    table = thing()
    app = small_app(bare, table, watched, tmp_path)
    result = app.test_cli_runner().invoke(args=["edge", "triggers", "install"])
    assert (result.exit_code, reason in result.output) == (1, True), result.output
    assert "Traceback" not in result.output
    with bare.begin() as connection:
        connection.execute(sa.insert(table).values(id=1, number=1, title="a"))
        connection.execute(sa.update(table).values(number=2))
        connection.execute(sa.delete(table))
        assert not connection.exec_driver_sql("SELECT count(*) FROM edge_change").scalar()


def test_a_table_that_is_declared_twice_is_refused(bare: Engine, tmp_path: Path) -> None:
    """The triggers of both declarations would have the same names."""
    small_app(bare, thing(), WatchedTable(table="thing"), tmp_path)
    twice = (WatchedTable(table="thing"), WatchedTable(table="thing", compared_columns=("title",)))
    with bare.begin() as connection, pytest.raises(NotWatchableError, match="declared 2 times"):
        install_triggers(connection, twice)


def test_what_the_self_test_refuses_leaves_the_triggers_as_they_were(
    bare: Engine, tmp_path: Path
) -> None:
    """A column with another equality than its encoding: the former triggers continue to log."""
    table = thing()
    fine = (WatchedTable(table="thing", compared_columns=("title",)),)
    small_app(bare, table, fine[0], tmp_path)
    with bare.begin() as connection:
        install_and_test(connection, fine)
    with bare.connect() as connection, connection.begin():
        with pytest.raises(NotWatchableError, match="although their encodings differ"):
            install_and_test(
                connection, (WatchedTable(table="thing", compared_columns=("weight",)),)
            )
        connection.exec_driver_sql("DELETE FROM edge_change")
        connection.execute(sa.insert(table).values(id=1, title="a"))
        image = connection.exec_driver_sql("SELECT new FROM edge_change").scalar_one()
    assert json.loads(image) == {"id": 1, "title": "a"}


def test_instants_take_dates_with_a_time(bare: Engine, tmp_path: Path) -> None:
    """Columns with and without a time zone are accepted."""
    watched: Any = WatchedTable(table="thing", instant_columns=("at", "zoned"))
    small_app(bare, thing(), watched, tmp_path)
    with bare.begin() as connection:
        install_and_test(connection, (watched,))


def test_triggers_are_removed_by_a_command(bare: Engine, tmp_path: Path) -> None:
    """Everything is purged then, and `edge triggers check` fails until they are reinstalled."""
    table = thing()
    app = small_app(bare, table, WatchedTable(table="thing"), tmp_path)
    runner = app.test_cli_runner()
    assert runner.invoke(args=["edge", "triggers", "install"]).exit_code == 0
    assert runner.invoke(args=["edge", "triggers", "remove"]).exit_code == 0
    with bare.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE thing DROP COLUMN raw")
        connection.exec_driver_sql("INSERT INTO thing (id) VALUES (1)")
        logged = connection.exec_driver_sql("SELECT op FROM edge_change").scalars().all()
    assert set(logged) == {"E"}
    assert runner.invoke(args=["edge", "triggers", "check"]).exit_code == 1
    assert runner.invoke(args=["edge", "triggers", "install"]).exit_code == 0
    assert runner.invoke(args=["edge", "triggers", "check"]).exit_code == 0
