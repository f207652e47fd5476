"""Every kind of write to a SQLite table is logged with the rows that it removed and added."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import WatchedTable, install_triggers

from .conftest import metadata

TABLES = """
CREATE TABLE parent (id INTEGER PRIMARY KEY);
CREATE TABLE thing (
    a INTEGER, b TEXT COLLATE NOCASE, code TEXT, place TEXT, size, at TIMESTAMP, views INTEGER,
    parent_id INTEGER REFERENCES parent(id) ON DELETE CASCADE ON UPDATE CASCADE,
    PRIMARY KEY (a, b), UNIQUE (code, place)
);
CREATE UNIQUE INDEX caseless ON thing (size COLLATE NOCASE);
"""
WATCHED = (
    WatchedTable(
        table="thing",
        compared_columns=("code", "size"),
        instant_columns=("at",),
        ignored_columns=("views",),
    ),
)


@pytest.fixture
def shell(tmp_path: Any) -> Iterator[sqlite3.Connection]:
    """A connection of another program to a database with two things."""
    engine: Engine = sa.create_engine(f"sqlite:///{tmp_path / 'writes.db'}")
    raw = sqlite3.connect(tmp_path / "writes.db", isolation_level=None)
    raw.executescript(TABLES)
    with engine.begin() as connection:
        for name in ("edge_change", "edge_meta"):
            metadata.tables[name].create(connection)
        install_triggers(connection, WATCHED)
    engine.dispose()
    raw.executescript(
        "PRAGMA foreign_keys=ON; INSERT INTO parent VALUES (1);"
        "INSERT INTO thing VALUES (1, 'x', 'c', 'p', 's', '2026-01-01 00:00:00', 0, 1);"
        "INSERT INTO thing VALUES (2, 'y', 'd', 'p', 't', NULL, 0, NULL);"
        "DELETE FROM edge_change"
    )
    yield raw
    raw.close()


def log_entries(shell: sqlite3.Connection) -> list[tuple[str, Any, Any, Any]]:
    """Return the operation, the key before, the key after and the changed columns."""
    rows = shell.execute("SELECT op, old, new, changed FROM edge_change ORDER BY id").fetchall()
    return [
        (op, _key(old), _key(new), columns_changed and json.loads(columns_changed))
        for op, old, new, columns_changed in rows
    ]


def _key(image: str | None) -> str | None:
    if image is None:
        return None
    values = json.loads(image)
    return f"{values['a']}{values['b']}"


REPLACE = "INSERT OR REPLACE INTO thing (a, b, code, place, size) VALUES"
WRITES: dict[str, tuple[str, list[tuple[str, Any, Any, Any]]]] = {
    "the same key": (f"{REPLACE} (1, 'x', 'e', 'q', 'u')", [("D", "1x", None, None), ("I", None, "1x", None)]),
    "the key in another case": (f"{REPLACE} (1, 'X', 'e', 'q', 'u')", [("D", "1x", None, None), ("I", None, "1X", None)]),
    "half of the key": (f"{REPLACE} (1, 'z', 'e', 'q', 'u')", [("I", None, "1z", None)]),
    "a unique pair": (f"{REPLACE} (3, 'z', 'c', 'p', 'u')", [("D", "1x", None, None), ("I", None, "3z", None)]),
    "half of a unique pair": (f"{REPLACE} (3, 'z', 'c', 'q', 'u')", [("I", None, "3z", None)]),
    "a unique pair with NULL": (f"{REPLACE} (3, 'z', 'c', NULL, 'u')", [("I", None, "3z", None)]),
    "an index of another collation": (f"{REPLACE} (3, 'z', 'e', 'q', 'S')", [("D", "1x", None, None), ("I", None, "3z", None)]),
    "two rows at once": (
        f"{REPLACE} (1, 'x', 'd', 'p', 'u')",
        [("D", "1x", None, None), ("D", "2y", None, None), ("I", None, "1x", None)],
    ),
    "several rows in one statement": (
        f"{REPLACE} (1, 'x', 'e', 'q', 'u'), (3, 'z', 'f', 'q', 'v')",
        [("D", "1x", None, None), ("I", None, "1x", None), ("I", None, "3z", None)],
    ),
    "an ignored conflict": ("INSERT OR IGNORE INTO thing (a, b) VALUES (1, 'x')", [("D", "1x", None, None)]),
    "an update of the key": ("UPDATE thing SET a = 9 WHERE a = 1", [("U", "1x", "9x", ["a"])]),
    "an update of the case of the key": ("UPDATE thing SET b = 'X' WHERE a = 1", [("U", "1x", "1X", ["b"])]),
    "an update of all rows": (
        "UPDATE thing SET place = 'r'",
        [("U", "1x", "1x", ["place"]), ("U", "2y", "2y", ["place"])],
    ),
    "an update that replaces": (
        "UPDATE OR REPLACE thing SET size = 'T' WHERE a = 1",
        [("D", "2y", None, None), ("U", "1x", "1x", ["size"])],
    ),
    "an ignored column beside another": ("UPDATE thing SET views = 9, code = 'z' WHERE a = 1", [("U", "1x", "1x", ["code", "views"])]),
    "a deleted parent": ("DELETE FROM parent", [("D", "1x", None, None)]),
    "an updated parent": ("UPDATE parent SET id = 7", [("U", "1x", "1x", ["parent_id"])]),
    "a deletion of all rows": ("DELETE FROM thing", [("D", "1x", None, None), ("D", "2y", None, None)]),
    "no row": ("DELETE FROM thing WHERE a = 7", []),
}  # fmt: skip


@pytest.mark.parametrize(("statement", "outcome"), WRITES.values(), ids=WRITES)
def test_a_write_is_logged_with_its_rows(
    shell: sqlite3.Connection, statement: str, outcome: list[tuple[str, Any, Any, Any]]
) -> None:
    """Each removed, added and changed row, in this order."""
    shell.execute(statement)
    assert log_entries(shell) == outcome


VALUES: tuple[Any, ...] = (None, 0, 1, "1", 1.0, b"1", "a", "A", "a ", "", b"")


@pytest.mark.parametrize("column", ["size", "code"])
def test_every_change_of_a_value_is_logged(shell: sqlite3.Connection, column: str) -> None:
    """Also a change of the type or the letter case alone, from NULL and to NULL."""
    for old, new in itertools.product(VALUES, repeat=2):
        shell.execute(f"UPDATE thing SET {column} = ? WHERE a = 1", (old,))
        (before,) = shell.execute(f"SELECT {column}, typeof({column}) FROM thing WHERE a = 1")
        shell.execute("DELETE FROM edge_change")
        shell.execute(f"UPDATE thing SET {column} = ? WHERE a = 1", (new,))
        (after,) = shell.execute(f"SELECT {column}, typeof({column}) FROM thing WHERE a = 1")
        outcome = [] if before == after else [("U", "1x", "1x", [column])]
        assert log_entries(shell) == outcome, (old, new)


@pytest.mark.parametrize(
    ("value", "image"), [(b"\x00\xff", "x00FF"), (None, None), (1.5, 1.5), ("é'\"", "é'\""), (7, 7)]
)
def test_an_image_holds_any_value(shell: sqlite3.Connection, value: Any, image: Any) -> None:
    """A BLOB is logged as its hexadecimal digits; the write never fails."""
    shell.execute("UPDATE thing SET size = ? WHERE a = 1", (value,))
    ((new,),) = shell.execute("SELECT new FROM edge_change")
    assert json.loads(new)["size"] == image
    assert set(json.loads(new)) == {"a", "b", "code", "size", "at"}


@pytest.mark.parametrize(
    "statement", ["UPDATE thing SET views = views + 1", "UPDATE thing SET a = a"]
)
def test_a_write_that_no_page_can_show_is_not_logged(
    shell: sqlite3.Connection, statement: str
) -> None:
    """Ignored columns and equal values change no page."""
    shell.execute(statement)
    assert log_entries(shell) == []


def test_each_entry_has_the_time_of_its_write(shell: sqlite3.Connection) -> None:
    """To within a minute of the database's own clock, for each kind of entry."""
    shell.executescript(f"{REPLACE} (1, 'x', 'e', 'q', 'u'); UPDATE thing SET code = 'k'")
    rows = shell.execute("SELECT op, written_at FROM edge_change").fetchall()
    ((now,),) = shell.execute("SELECT strftime('%s', 'now') * 1000000")
    assert {op for op, _ in rows} == {"D", "I", "U"}
    assert all(abs(at - now) < 60_000_000 for _, at in rows)
