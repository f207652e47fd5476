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
    """The change log: table, operation, old image, new image, changed columns."""
    with engine.begin() as connection:
        rows = connection.exec_driver_sql(
            "SELECT of_table, op, old, new, changed FROM edge_change ORDER BY id",
        ).all()
        connection.exec_driver_sql("DELETE FROM edge_change")
    return [(t, op, *(json.loads(x) if x else None for x in rest)) for t, op, *rest in rows]


@pytest.fixture
def one(engine: Engine) -> Engine:
    """One post that is already there."""
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
    """Keys, declared columns and the instant in microseconds stand in the image; text does not."""
    with engine.begin() as connection:
        connection.execute(
            sa.insert(post).values(id=1, slug="a", status="draft", title="x", published_at=NOON)
        )
    assert log(engine) == [("post", "I", None, IMAGE, None)]


def test_an_update_is_logged_with_both_images_and_the_changed_columns(one: Engine) -> None:
    """The log says what a row was, what it is, and which columns differ, heavy ones by name."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(status="published", body="long"))
    assert log(one) == [("post", "U", IMAGE, IMAGE | {"status": "published"}, ["status", "body"])]


def test_an_update_that_changes_nothing_is_not_logged(one: Engine) -> None:
    """Writing the value that is already there touches nothing."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(status="draft"))
    assert log(one) == []


def test_a_change_of_silent_columns_alone_is_not_logged(one: Engine) -> None:
    """A counter that no page shows purges nothing."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(views=7))
    assert log(one) == []


def test_a_deleted_parent_logs_its_cascaded_children(one: Engine) -> None:
    """ON DELETE CASCADE is a change of the child table like any other."""
    with one.begin() as connection:
        connection.execute(sa.delete(post))
    assert sorted(log(one), key=lambda entry: entry[0]) == [
        ("link", "D", {"post_id": 1, "topic_id": 5}, None, None),
        ("post", "D", IMAGE, None, None),
    ]


def test_a_changed_primary_key_logs_both_keys(one: Engine) -> None:
    """A row that moves to another key touches both."""
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
    """What the transaction writes besides is logged."""
    with one.begin() as connection:
        inner = connection.begin_nested()
        connection.execute(sa.update(post).values(status="published"))
        inner.rollback()
        connection.execute(sa.update(post).values(body="other"))
    assert [entry[4] for entry in log(one)] == [["body"]]


def test_1_15_a_row_that_moves_between_two_lists_shows_both(one: Engine) -> None:
    """It leaves the one by its old image and enters the other by its new one."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(status="published"))
    ((_, _, old, new, _),) = log(one)
    assert (old["status"], new["status"]) == (IMAGE["status"], "published")


def test_3_2_a_change_of_case_is_logged_under_a_caseless_collation(one: Engine) -> None:
    """The comparison is byte for byte, whatever the column's collation calls equal."""
    with one.begin() as connection:
        connection.execute(sa.update(post).values(title="foo"))
    assert [entry[4] for entry in log(one)] == [["title"]]


def test_an_unreadable_instant_is_null_in_the_image(one: Engine) -> None:
    """A sort key that can't be read matches everything, so the image says so."""
    if one.dialect.name != "sqlite":
        pytest.skip("PostgreSQL keeps no unreadable timestamp")
    with one.begin() as connection:
        connection.exec_driver_sql("UPDATE post SET published_at = 'next week'")
    assert [entry[3]["published_at"] for entry in log(one)] == [None]


@pytest.mark.parametrize("spelling", ["2026-03-01 12:00:00", "2026-03-01 12:00:00.000000"])
def test_1_9_one_instant_has_one_image_however_it_is_spelt(one: Engine, spelling: str) -> None:
    """Raw SQL and SQLAlchemy write the same instant with and without a fraction."""
    with one.begin() as connection:
        connection.exec_driver_sql(f"UPDATE post SET published_at = '{spelling}'")
    assert [entry[3]["published_at"] for entry in log(one)] == [1772366400000000]


def test_drift_is_nothing_after_install(engine: Engine) -> None:
    """What install leaves is what drift expects."""
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
    """An altered table or trigger is drift until install ran, which then logs "everything"."""
    with engine.begin() as connection:
        connection.exec_driver_sql(statement[engine.dialect.name])
        assert "altered" in (find_drift(connection, WATCHED) or "")
        install_triggers(connection, WATCHED)
        assert find_drift(connection, WATCHED) is None
    assert log(engine)[-1] == ("*", "E", None, None, None)
