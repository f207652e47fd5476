"""Writes to an altered watched table succeed, and "everything changed" is logged."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import WatchedTable, find_drift, install_triggers, remove_triggers

from .conftest import WATCHED, metadata, post

WRITES = (
    "INSERT INTO {table} (id) VALUES (7), (8)",
    "UPDATE {table} SET id = id + 100, {column} = NULL WHERE id IN (7, 8)",
    "DELETE FROM {table} WHERE id > 100",
)
ALTERED = {
    "a renamed column": ("ALTER TABLE post RENAME COLUMN body TO text", "post", "text"),
    "a renamed declared column": ("ALTER TABLE post RENAME COLUMN slug TO name", "post", "name"),
    "a renamed instant": ("ALTER TABLE post RENAME COLUMN published_at TO at", "post", "at"),
    "an added column": ("ALTER TABLE post ADD COLUMN more TEXT DEFAULT 'x'", "post", "more"),
    "a renamed table": ("ALTER TABLE post RENAME TO article", "article", "title"),
    "a renamed key": ("ALTER TABLE post RENAME COLUMN views TO seen", "post", "seen"),
}
ON_POSTGRESQL = {
    "a dropped column": ("ALTER TABLE post DROP COLUMN body", "post", "title"),
    "a dropped declared column": ("ALTER TABLE post DROP COLUMN status", "post", "title"),
    "a dropped instant": ("ALTER TABLE post DROP COLUMN published_at", "post", "title"),
    "a column of another type": (
        "ALTER TABLE post ALTER COLUMN views TYPE TEXT USING 'x'",
        "post",
        "views",
    ),
    "an instant of another type": (
        "ALTER TABLE post ALTER COLUMN published_at TYPE TEXT USING 'x'",
        "post",
        "published_at",
    ),
    "a declared column of another type": (
        "ALTER TABLE post ALTER COLUMN status TYPE JSON USING NULL",
        "post",
        "status",
    ),
    "a dropped and added column": (
        "ALTER TABLE post DROP COLUMN status, ADD COLUMN status BYTEA",
        "post",
        "status",
    ),
    "another schema": (
        "CREATE SCHEMA away; ALTER TABLE post SET SCHEMA away",
        "away.post",
        "title",
    ),
}


def logged(connection: Connection) -> list[str]:
    """Return the operations in the log, and empty it."""
    operations = connection.exec_driver_sql("SELECT op FROM edge_change ORDER BY id").scalars()
    log_operations = list(operations)
    connection.exec_driver_sql("DELETE FROM edge_change")
    return log_operations


@pytest.mark.parametrize(("statement", "table", "column"), ALTERED.values(), ids=ALTERED)
def test_writes_of_an_altered_table_succeed(
    engine: Engine, statement: str, table: str, column: str
) -> None:
    """On both databases; `find_drift` returns that the triggers must be reinstalled."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        connection.exec_driver_sql(statement)
        logged(connection)
        for write in WRITES:
            connection.exec_driver_sql(write.format(table=table, column=column))
    with engine.begin() as connection:
        assert logged(connection)
        assert find_drift(connection, WATCHED) is not None


@pytest.mark.live
@pytest.mark.parametrize(
    ("statement", "table", "column"),
    (ALTERED | ON_POSTGRESQL).values(),
    ids=ALTERED | ON_POSTGRESQL,
)
def test_each_write_of_an_altered_table_logs_everything(
    postgresql_engine: Engine, statement: str, table: str, column: str
) -> None:
    """Once per transaction, for each first statement, and also in a session with cached plans."""
    with postgresql_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
    with postgresql_engine.connect() as connection:  # its plans were cached before the change
        with connection.begin():
            connection.execute(sa.insert(post).values(id=1, slug="a"))
            connection.execute(sa.update(post).values(title="x", body="y", views=3))
            logged(connection)
        with connection.begin():
            connection.exec_driver_sql(statement)
        for write in WRITES:
            with connection.begin():
                connection.exec_driver_sql(write.format(table=table, column=column))
                assert logged(connection) == ["E"]


@pytest.mark.live
def test_a_table_that_is_altered_within_the_transaction_logs_everything(
    postgresql_engine: Engine,
) -> None:
    """The layout is compared for each statement, and a rollback restores it."""
    with postgresql_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        logged(connection)
        savepoint = connection.begin_nested()
        connection.exec_driver_sql("ALTER TABLE post RENAME COLUMN title TO name")
        connection.exec_driver_sql("UPDATE post SET name = 'x'")
        assert logged(connection) == ["E"]
        savepoint.rollback()
        connection.exec_driver_sql("UPDATE post SET title = 'x'")
        assert logged(connection) == ["U"]


AFTER_A_WRITE = {
    "nothing": ("SELECT 1", ["I", "T"]),
    "the table is altered": ("ALTER TABLE post RENAME COLUMN title TO name", ["I", "E"]),
    "the log is dropped": ("DROP TABLE edge_change", None),
}


@pytest.mark.live
@pytest.mark.parametrize(("statement", "logs"), AFTER_A_WRITE.values(), ids=AFTER_A_WRITE)
def test_truncate_compares_the_layout_itself(
    postgresql_engine: Engine, statement: str, logs: list[str] | None
) -> None:
    """No statement trigger precedes it, and the last write of the transaction saw another layout."""
    with postgresql_engine.begin() as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql("DROP TABLE link")
        install_triggers(connection, WATCHED[:1])
        logged(connection)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        connection.exec_driver_sql(statement)
        connection.exec_driver_sql("TRUNCATE post")
        assert connection.exec_driver_sql("SELECT count(*) FROM post").scalar() == 0
        if logs is not None:
            assert logged(connection) == logs


@pytest.mark.live
@pytest.mark.parametrize(
    "statement", ["DROP TABLE edge_change", "ALTER SCHEMA public RENAME TO gone"]
)
def test_without_its_log_a_table_can_still_be_written(
    postgresql_engine: Engine, statement: str
) -> None:
    """No response is shared then, because `find_drift` reports the missing table."""
    with postgresql_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql(statement)
        name = "gone.post" if "gone" in statement else "post"
        connection.exec_driver_sql(f"INSERT INTO {name} (id) VALUES (1)")
        connection.exec_driver_sql(f"UPDATE {name} SET title = 'x'")
        connection.exec_driver_sql(f"DELETE FROM {name}")


@pytest.mark.live
def test_a_replica_that_applies_changes_compares_the_layout_itself(
    postgresql_engine: Engine,
) -> None:
    """On a replica the row triggers fire without the statement trigger."""
    with postgresql_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("DROP TRIGGER edge_post_before ON post")
    with postgresql_engine.begin() as connection:
        logged(connection)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert logged(connection) == ["I"]
        connection.exec_driver_sql("ALTER TABLE post DROP COLUMN body")
        connection.exec_driver_sql("UPDATE post SET title = 'x'")
        assert logged(connection) == ["E"]


@pytest.mark.live
def test_a_session_forgets_a_layout_at_the_end_of_its_transaction(
    postgresql_engine: Engine,
) -> None:
    """A row trigger without a statement trigger would otherwise use the layout of a past write."""
    with postgresql_engine.connect() as connection:
        with connection.begin():
            metadata.create_all(connection)
            install_triggers(connection, WATCHED)
            connection.execute(sa.insert(post).values(id=1, slug="a"))
            assert logged(connection)
        with connection.begin():
            connection.exec_driver_sql("DROP TRIGGER edge_post_before ON post")
            connection.exec_driver_sql("ALTER TABLE post DROP COLUMN body")
        with connection.begin():
            connection.exec_driver_sql("UPDATE post SET title = 'x'")
            assert logged(connection) == ["E"]


def test_a_renamed_table_that_is_watched_again_has_its_own_triggers_alone(engine: Engine) -> None:
    """Triggers of its former name and of tables that are not watched any longer are removed."""
    watched = (WatchedTable(table="article"),)
    with engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE post RENAME TO article")
        install_triggers(connection, watched)
        assert find_drift(connection, watched) is None
        logged(connection)
        connection.exec_driver_sql("INSERT INTO article (id) VALUES (1)")
        connection.exec_driver_sql("INSERT INTO link VALUES (1, 1)")
        assert logged(connection) == ["I"]


def test_sqlite_drops_a_column_once_the_triggers_are_removed(sqlite_engine: Engine) -> None:
    """With triggers SQLite refuses to drop the column, and nothing changes."""
    with sqlite_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
    with pytest.raises(sa.exc.OperationalError, match="edge_post"), sqlite_engine.begin() as other:
        other.exec_driver_sql("ALTER TABLE post DROP COLUMN body")
    with sqlite_engine.begin() as connection:
        connection.exec_driver_sql("UPDATE post SET title = 'x'")
        remove_triggers(connection, WATCHED)
        connection.exec_driver_sql("ALTER TABLE post DROP COLUMN body")
        install_triggers(connection, WATCHED)
        assert find_drift(connection, WATCHED) is None
