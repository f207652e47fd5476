"""Triggers: which writes are logged, and with which row images."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import find_drift, install_triggers

from .conftest import WATCHED, link, post

NOON = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC).replace(tzinfo=None)
NOON_MICROSECONDS = 1772366400123456


def log(engine: Engine) -> list[tuple[str, str, Any, Any, Any]]:
    """Return table, operation, images and changed columns of each entry; empty the log."""
    with engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT of_table, op, old, new, changed FROM edge_change ORDER BY id",
        ).all()
        connection.exec_driver_sql("DELETE FROM edge_change")
    return [(t, op, *(json.loads(x) if x else None for x in rest)) for t, op, *rest in rows]


@pytest.fixture
def one(engine: Engine) -> Engine:
    """A database with one post and its link."""
    with engine.begin() as connection:
        connection.execute(
            sa.insert(post).values(
                id=1, slug="a", status="draft", title="Foo", published_at=NOON, views=0
            ),
        )
        connection.execute(sa.insert(link).values(post_id=1, topic_id=5))
    log(engine)
    return engine


IMAGE = {"id": 1, "slug": "a", "status": "draft", "published_at": NOON_MICROSECONDS}


def test_an_insert_is_logged_with_its_new_image(engine: Engine) -> None:
    """The image contains keys, declared columns and the instant in microseconds, but no text."""
    with engine.begin() as connection:
        connection.execute(
            sa.insert(post).values(id=1, slug="a", status="draft", title="x", published_at=NOON)
        )
    assert log(engine) == [("post", "I", None, IMAGE, None)]


def test_an_update_is_logged_with_both_images_and_the_changed_columns(one: Engine) -> None:
    """The entry contains the old row, the new row and the names of all changed columns."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(status="published", body="long"))
    assert log(one) == [("post", "U", IMAGE, IMAGE | {"status": "published"}, ["status", "body"])]


def test_an_update_that_changes_nothing_is_not_logged(one: Engine) -> None:
    """An update with equal values is no change."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(status="draft"))
    assert log(one) == []


def test_a_change_of_silent_columns_alone_is_not_logged(one: Engine) -> None:
    """A counter that no page shows purges nothing."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(views=7))
    assert log(one) == []


def test_an_entry_names_the_silent_columns_that_changed_with_others(one: Engine) -> None:
    """A page may have read a silent column: the entry that another column causes names both."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(views=7, title="new"))
    assert [entry[4] for entry in log(one)] == [["title", "views"]]


def test_a_deleted_parent_logs_its_cascaded_children(one: Engine) -> None:
    """ON DELETE CASCADE fires the triggers of the child table."""
    with one.begin() as connection:
        connection.execute(sa.delete(post))
    assert sorted(log(one), key=lambda entry: entry[0]) == [
        ("link", "D", {"post_id": 1, "topic_id": 5}, None, None),
        ("post", "D", IMAGE, None, None),
    ]


def test_a_changed_primary_key_logs_both_keys(one: Engine) -> None:
    """The old and the new image have different keys."""
    with one.begin() as connection:
        connection.execute(sa.delete(link))
        connection.execute(sa.update(post).values(id=2))
    assert log(one)[1:] == [("post", "U", IMAGE, IMAGE | {"id": 2}, ["id"])]


def test_a_rolled_back_write_leaves_no_entry(one: Engine) -> None:
    """The log is written in the writer's own transaction."""
    with one.connect() as connection:
        connection.execute(sa.update(post).values(status="published"))
        connection.rollback()
    assert log(one) == []


def test_1_15_a_savepoint_that_is_taken_back_leaves_no_entry(one: Engine) -> None:
    """Other writes of the transaction are logged."""
    with one.begin() as connection:
        inner = connection.begin_nested()
        connection.execute(sa.update(post).values(status="published"))
        inner.rollback()
        connection.execute(sa.update(post).values(body="other"))
    assert [entry[4] for entry in log(one)] == [["body"]]


def test_1_15_a_row_that_moves_between_two_lists_shows_both(one: Engine) -> None:
    """The old image matches the first list, and the new image the second one."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(status="published"))
    ((_, _, old, new, _),) = log(one)
    assert (old["status"], new["status"]) == (IMAGE["status"], "published")


def test_3_2_a_change_of_case_is_logged_under_a_caseless_collation(one: Engine) -> None:
    """Bytes are compared, independent of the column's collation."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(title="foo"))
    assert [entry[4] for entry in log(one)] == [["title"]]


def test_an_unreadable_instant_is_null_in_the_image(one: Engine) -> None:
    """An invalid sort key is NULL in the image, which matches every interval."""
    if one.dialect.name != "sqlite":
        pytest.skip("PostgreSQL stores no invalid timestamp")
    with one.begin() as connection:
        connection.exec_driver_sql("UPDATE post SET published_at = 'next week'")
    assert [entry[3]["published_at"] for entry in log(one)] == [None]


@pytest.mark.parametrize("spelling", ["2026-03-01 12:00:00", "2026-03-01 12:00:00.000000"])
def test_1_9_one_instant_has_one_image_in_each_text_format(one: Engine, spelling: str) -> None:
    """Text with and without a fraction of a second gives the same number."""
    with one.begin() as connection:
        connection.exec_driver_sql(f"UPDATE post SET published_at = '{spelling}'")
    assert [entry[3]["published_at"] for entry in log(one)] == [1772366400000000]


def test_drift_is_nothing_after_install(engine: Engine) -> None:
    """`find_drift` finds no problem directly after installing."""
    with engine.begin() as connection:
        assert find_drift(connection, WATCHED) is None


@pytest.mark.parametrize(
    "statement",
    [
        {
            "sqlite": "DROP TRIGGER edge_post_update",
            "postgresql": "DROP TRIGGER edge_post_update ON post",
        },
        {
            "sqlite": "ALTER TABLE post ADD COLUMN x TEXT",
            "postgresql": "ALTER TABLE post ADD COLUMN x TEXT",
        },
    ],
    ids=["a trigger was dropped", "a column was added"],
)
def test_drift_is_noticed_and_mended(engine: Engine, statement: dict[str, str]) -> None:
    """An altered table or trigger is drift until a reinstall, which logs "everything changed"."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statement[engine.dialect.name])
        assert "altered" in (find_drift(connection, WATCHED) or "")
        install_triggers(connection, WATCHED)
        assert find_drift(connection, WATCHED) is None
    assert log(engine)[-1] == ("*", "E", None, None, None)
