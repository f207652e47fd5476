"""Features of PostgreSQL only: session settings, TRUNCATE, replication roles, inheritance."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import WatchedTable, install_triggers
from app.edge.changes.drift_monitor import DriftMonitor
from app.edge.pages.resolver_lock import promptly

from .conftest import WATCHED, metadata, post
from .test_drift_monitor import Ticks
from .test_triggers import NOON, NOON_MICROSECONDS, log

pytestmark = pytest.mark.live


@pytest.fixture
def watched(postgresql_engine: Engine) -> Engine:
    """The watched tables with two posts."""
    with postgresql_engine.begin() as connection:
        metadata.create_all(connection)
        install_triggers(connection, WATCHED)
        connection.execute(
            sa.insert(post),
            [{"id": 1, "slug": "a", "title": "50 %"}, {"id": 2, "slug": "b", "title": "y"}],
        )
        connection.exec_driver_sql("DELETE FROM edge_change")
    return postgresql_engine


def test_3_3_an_image_does_not_depend_on_the_writers_session(watched: Engine) -> None:
    """Time zone, date style and search path of the session do not change the image."""
    with watched.begin() as connection:
        connection.exec_driver_sql("SET LOCAL \"TimeZone\" = 'Asia/Kolkata'")
        connection.exec_driver_sql("SET LOCAL \"DateStyle\" = 'German'")
        connection.execute(sa.update(post).where(post.c.id == 1).values(published_at=NOON))
    assert [new["published_at"] for *_, new, _ in log(watched)] == [NOON_MICROSECONDS]


KEYS_OF_A_ZONE = {
    "timestamptz": "'2026-03-01 12:00:00+00'",
    "timestamptz[]": "ARRAY['2026-03-01 12:00:00+00'::timestamptz]",
    "tstzrange": "tstzrange('2026-03-01 12:00:00+00', NULL)",
}


@pytest.mark.parametrize(("kind", "value"), KEYS_OF_A_ZONE.items(), ids=KEYS_OF_A_ZONE)
def test_3_3_all_writers_log_the_same_image_of_a_key_with_a_time_zone(
    postgresql_engine: Engine, kind: str, value: str
) -> None:
    """Otherwise the image of one writer does not match the key that a page has recorded."""
    with postgresql_engine.begin() as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql(f"CREATE TABLE event (at {kind} PRIMARY KEY)")
        install_triggers(connection, (WatchedTable(table="event"),))
        connection.exec_driver_sql("DELETE FROM edge_change")
    for zone, style in (("UTC", "ISO"), ("Asia/Kolkata", "German"), ("America/Lima", "SQL")):
        with postgresql_engine.begin() as connection:
            connection.exec_driver_sql(f"SET LOCAL \"TimeZone\" = '{zone}'")
            connection.exec_driver_sql(f"SET LOCAL \"DateStyle\" = '{style}'")
            connection.exec_driver_sql(f"INSERT INTO event VALUES ({value})")
            connection.exec_driver_sql("DELETE FROM event")
    entries = log(postgresql_engine)
    images = [new or old for _, _, old, new, _ in entries]
    assert [op for _, op, *_ in entries] == ["I", "D"] * 3
    assert images == [images[0]] * 6
    assert "+00" in str(images[0])


@pytest.mark.parametrize("path", ["public", "pg_temp, public", "pg_catalog"])
def test_3_3_a_temporary_table_of_the_writers_does_not_catch_the_log(
    watched: Engine, path: str
) -> None:
    """Also if it has the name of the log and comes first in the search path."""
    with watched.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TEMP TABLE edge_change (LIKE edge_change) ON COMMIT DROP"
        )
        connection.exec_driver_sql(f"SET LOCAL search_path = {path}")
        connection.exec_driver_sql("UPDATE public.post SET title = 'z' WHERE id = 1")
    assert [op for _, op, *_ in log(watched)] == ["U"]


def test_3_4_truncate_is_logged_for_the_table_and_its_children(watched: Engine) -> None:
    """TRUNCATE fires no row trigger, so one entry names the table."""
    with watched.begin() as connection:
        connection.exec_driver_sql("TRUNCATE post CASCADE")
    assert sorted((table, op) for table, op, *_ in log(watched)) == [("link", "T"), ("post", "T")]


def test_3_4_a_restore_is_logged(watched: Engine) -> None:
    """The triggers fire in the replica role, which a restore and logical replication use."""
    with watched.begin() as connection:
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
        connection.execute(sa.delete(post).where(post.c.id == 1))
    assert [(table, op) for table, op, *_ in log(watched)] == [("post", "D")]


def test_3_2_equal_in_value_is_not_equal_in_bytes(watched: Engine) -> None:
    """1.0 and 1.00 are equal numbers, but different text on a page."""
    with watched.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE post ADD COLUMN price numeric")
        connection.exec_driver_sql("UPDATE post SET price = 1.0")
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("DELETE FROM edge_change")
        connection.exec_driver_sql("UPDATE post SET price = 1.00 WHERE id = 1")
    assert [changed_columns for *_, changed_columns in log(watched)] == [["price"]]


def test_an_upsert_logs_the_update_it_makes(watched: Engine) -> None:
    """ON CONFLICT DO UPDATE is logged as an update."""
    with watched.begin() as connection:
        connection.exec_driver_sql(
            "INSERT INTO post(id, slug) VALUES (1, 'z') ON CONFLICT (id) DO UPDATE SET slug = 'z'",
        )
    assert [(op, new["slug"]) for _, op, _, new, _ in log(watched)] == [("U", "z")]


@pytest.mark.parametrize("instant", ["infinity", "-infinity"])
def test_an_instant_without_end_is_logged_as_null(watched: Engine, instant: str) -> None:
    """PostgreSQL can't express it in microseconds; the write must succeed all the same."""
    with watched.begin() as connection:
        connection.exec_driver_sql(f"UPDATE post SET published_at = '{instant}' WHERE id = 1")
    assert [(op, new["published_at"]) for _, op, _, new, _ in log(watched)] == [("U", None)]


def test_a_writer_needs_no_privilege_for_the_log(watched: Engine) -> None:
    """An editor's role may have privileges for the tables of the site only."""
    with watched.connect() as connection, connection.begin() as transaction:
        run = connection.exec_driver_sql
        run("CREATE ROLE editor_of_posts")
        run("GRANT SELECT, UPDATE ON post TO editor_of_posts")
        run("SET LOCAL ROLE editor_of_posts")
        run("UPDATE post SET title = 'z' WHERE id = 1")
        run("RESET ROLE")
        entries = run("SELECT op, xid = pg_current_xact_id()::text::bigint FROM edge_change").all()
        transaction.rollback()  # roles belong to the server, not to the database
    assert [tuple(entry) for entry in entries] == [("U", True)]


ODD = {
    "a child table": "CREATE TABLE child () INHERITS (post)",
    "row-level security": "ALTER TABLE post ENABLE ROW LEVEL SECURITY",
}


@pytest.mark.parametrize("statement", ODD.values(), ids=ODD)
def test_3_4_a_table_that_shows_other_rows_than_its_own_is_a_problem(
    watched: Engine, statement: str
) -> None:
    """A child table's rows fire no trigger, and a row policy hides rows."""
    ticks = Ticks()
    monitor = DriftMonitor(watched, WATCHED, monotonic=ticks)
    assert monitor.current_problem() is None
    with watched.begin() as connection:
        connection.exec_driver_sql(statement)
    ticks.pass_by()
    assert "not watchable" in str(monitor.current_problem())


def test_3_4_a_table_in_partitions_can_not_be_watched(postgresql_engine: Engine) -> None:
    """The rows of an attached partition fire no trigger."""
    with postgresql_engine.begin() as connection:
        metadata.create_all(connection)
        connection.exec_driver_sql("DROP TABLE link")
        connection.exec_driver_sql(
            "CREATE TABLE link (post_id integer, topic_id integer, PRIMARY KEY (post_id, topic_id))"
            " PARTITION BY LIST (topic_id)"
        )
        with pytest.raises(ValueError, match="link is no ordinary table"):
            install_triggers(connection, WATCHED)


def test_1_15_what_copy_writes_is_logged(watched: Engine) -> None:
    """COPY fires the row triggers."""
    with watched.begin() as connection:
        cursor = connection.connection.cursor()
        with cursor.copy("COPY post (id, slug) FROM STDIN") as copy:
            copy.write("7\tc\n8\td\n")
    assert [(op, new["id"]) for _, op, _, new, _ in log(watched)] == [("I", 7), ("I", 8)]


def test_5_5_what_is_registered_survives_a_power_loss(watched: Engine) -> None:
    """Also on a server with synchronous_commit = off."""
    with watched.begin() as connection:
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    watched.dispose()
    with watched.connect() as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "off"
    with promptly(watched) as connection:
        assert connection.exec_driver_sql("SHOW synchronous_commit").scalar() == "on"
