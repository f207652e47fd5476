"""Features of SQLite only: REPLACE fires no delete trigger, and columns hold any type."""

from __future__ import annotations

import sqlite3

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import WatchedTable, find_drift, install_triggers

from .conftest import WATCHED, metadata, post
from .test_triggers import log


@pytest.fixture
def shell(sqlite_engine: Engine) -> sqlite3.Connection:
    """A connection of another program to the same file, such as the sqlite3 shell."""
    with sqlite_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("DELETE FROM edge_change")
        connection.execute(
            sa.insert(post),
            [{"id": 1, "slug": "a", "title": "x"}, {"id": 2, "slug": "b", "title": "y"}],
        )
        connection.exec_driver_sql("DELETE FROM edge_change")
    return sqlite3.connect(str(sqlite_engine.url.database), isolation_level=None)


REPLACING = [
    ("REPLACE INTO post(id, slug) VALUES (1, 'c')", [("D", 1), ("I", 1)]),
    ("REPLACE INTO post(id, slug) VALUES (3, 'a')", [("D", 1), ("I", 3)]),
    ("REPLACE INTO post(id, slug) VALUES (2, 'a')", [("D", 2), ("D", 1), ("I", 2)]),
    ("UPDATE OR REPLACE post SET slug = 'a' WHERE id = 2", [("D", 1), ("U", 2)]),
    ("UPDATE OR REPLACE post SET id = 1 WHERE id = 2", [("D", 1), ("U", 1)]),
]


@pytest.mark.parametrize(("statement", "entries"), REPLACING, ids=[s for s, _ in REPLACING])
def test_3_1_a_row_that_replace_pushes_out_is_logged(
    shell: sqlite3.Connection, sqlite_engine: Engine, statement: str, entries: list[tuple[str, int]]
) -> None:
    """Each removed row is logged, for every unique index that it collides with."""
    shell.execute(statement)
    log_entries = [(op, (new or old)["id"]) for _, op, old, new, _ in log(sqlite_engine)]
    assert log_entries == entries


def test_3_2_a_change_of_type_alone_is_logged(
    shell: sqlite3.Connection, sqlite_engine: Engine
) -> None:
    """SQLite treats 1 and 1.0 as equal, but they are different text on a page."""
    shell.execute("UPDATE post SET title = CAST(1 AS BLOB) WHERE id = 1")
    assert [op for _, op, *_ in log(sqlite_engine)] == ["U"]


def test_3_5_a_blob_in_a_declared_column_does_not_fail_the_writer(
    shell: sqlite3.Connection, sqlite_engine: Engine
) -> None:
    """JSON can't hold a BLOB, so the image holds its hexadecimal digits."""
    shell.execute("UPDATE post SET status = x'00ff' WHERE id = 1")
    assert [new["status"] for *_, new, _ in log(sqlite_engine)] == ["x00FF"]


def test_a_delete_of_everything_logs_each_row(
    shell: sqlite3.Connection, sqlite_engine: Engine
) -> None:
    """SQLite's truncate optimization does not apply to a table with triggers."""
    shell.execute("DELETE FROM post")
    assert [op for _, op, *_ in log(sqlite_engine)] == ["D", "D"]


def test_an_upsert_logs_the_row_it_updates(
    shell: sqlite3.Connection, sqlite_engine: Engine
) -> None:
    """The update is logged; the additional entry before it is harmless."""
    shell.execute(
        "INSERT INTO post(id, slug) VALUES (1, 'z') ON CONFLICT(id) DO UPDATE SET slug = 'z'"
    )
    assert [op for _, op, *_ in log(sqlite_engine)] == ["D", "U"]


THREADED = {
    "a reply and its post": "parent INTEGER REFERENCES thing(id) ON DELETE CASCADE, "
    "post INTEGER REFERENCES post(id) ON DELETE CASCADE",
    "two replies": "parent INTEGER REFERENCES thing(id) ON DELETE CASCADE, "
    "quoted INTEGER REFERENCES thing(id) ON DELETE SET NULL",
    "a deferred key": "parent INTEGER REFERENCES thing(id) ON DELETE RESTRICT "
    "DEFERRABLE INITIALLY DEFERRED, post INTEGER REFERENCES post(id) ON UPDATE CASCADE",
    "a key to a table that is not there": "parent INTEGER REFERENCES thing(id) ON DELETE SET NULL, "
    "gone INTEGER REFERENCES gone(id) ON DELETE CASCADE",
}


@pytest.mark.parametrize("columns", THREADED.values(), ids=THREADED)
def test_a_table_that_refers_to_itself_is_tested(sqlite_engine: Engine, columns: str) -> None:
    """The self-test works despite its foreign keys, and leaves no temporary table."""
    watched = (*WATCHED, WatchedTable(table="thing"))
    with sqlite_engine.begin() as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql(f"CREATE TABLE thing (id INTEGER PRIMARY KEY, {columns})")
        install_triggers(connection, watched)
        assert find_drift(connection, watched) is None
        assert not connection.exec_driver_sql("SELECT name FROM sqlite_temp_master").all()
