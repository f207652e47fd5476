from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from flask import Flask
from sqlalchemy.exc import OperationalError

from app import create_app
from app.database import BrokenReferences, NewerDatabase, UnusableDatabaseError
from app.extensions import alembic, db
from app.publishing.models import Topic
from app.publishing.transaction import transaction

from .depth import share
from .live.forked_python import start_python
from .live.gunicorn import environment, flask

STAMP = "UPDATE alembic_version SET version_num = '9999'"


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def settings(request: pytest.FixtureRequest) -> dict[str, str]:
    """The settings of a process over a database in which nothing is."""
    if request.param == "sqlite":
        return {}
    return {"DATABASE_URL": request.getfixturevalue("empty_postgres_url")}


def tables(app: Flask) -> set[str]:
    """The tables that are there, but for Alembic's own."""
    return set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_models_and_migrations_agree(any_app: Flask) -> None:
    """A change of a model without its migration fails here."""
    assert alembic.compare_metadata() == []


def test_down_to_nothing_and_up_again(any_app: Flask) -> None:
    """Every migration can be taken back, and leaves nothing behind."""
    before = tables(any_app)
    alembic.downgrade("base")
    assert tables(any_app) == set()
    alembic.upgrade()
    assert tables(any_app) == before
    assert alembic.compare_metadata() == []


@pytest.mark.slow
def test_four_upgrades_at_once_are_one(settings: dict[str, str], tmp_path: Path) -> None:
    """Processes that start together on a fresh database all succeed."""
    words = ["-m", "flask", "db", "upgrade"]
    logs = [tmp_path / f"{number}.log" for number in range(4)]
    started = [start_python(words, env=environment(tmp_path, settings), log=log) for log in logs]
    statuses = [process.wait(100) for process in started]
    outputs = [log.read_text() for log in logs]
    assert statuses == [0, 0, 0, 0], outputs
    assert "".join(outputs).count("Running upgrade  -> 0001") == 1
    assert (
        flask("db", "current", "--check-heads", instance=tmp_path, settings=settings).returncode
        == 0
    )


@pytest.mark.live
def test_the_lock_of_the_migrations_is_taken_before_anything_is_read(
    postgres_app: Flask, postgres_url: str
) -> None:
    """While another session holds it, an upgrade reads nothing; afterwards it is free again."""
    statements: list[str] = []
    context = alembic.migration_context.connection
    assert context is not None
    sa.event.listen(context, "before_cursor_execute", lambda *call: statements.append(call[2]))
    alembic.upgrade()
    assert "pg_advisory_xact_lock" in statements[0]
    statements.clear()
    with context.begin():
        context.exec_driver_sql("SELECT 1")
    assert statements == ["SELECT 1"]
    with psycopg.connect(postgres_url) as other:
        lock_count = other.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        ).fetchone()
    assert lock_count == (0,)


def run_steps(step: Callable[[Operations], None]) -> None:
    """Run a migration that is not in a file, as `flask db upgrade` would."""

    def steps(_revision: object, context: MigrationContext) -> list[object]:
        step(Operations(context))
        return []

    alembic.run_migrations(steps)


def parent_and_child(app: Flask) -> None:
    """A table, and one whose rows go with it."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE parent (id INTEGER PRIMARY KEY, name TEXT)")
        connection.exec_driver_sql(
            "CREATE TABLE child (id INTEGER PRIMARY KEY, "
            "parent_id INTEGER NOT NULL REFERENCES parent(id) ON DELETE CASCADE)",
        )
        connection.exec_driver_sql("INSERT INTO parent VALUES (1, 'a')")
        connection.exec_driver_sql("INSERT INTO child VALUES (1, 1)")


def children() -> int:
    """How many there are."""
    with db.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM child").scalar_one())


def foreign_keys() -> int:
    """Whether SQLite keeps them, on the connection that the pool hands out next."""
    with db.engine.connect() as connection:
        return int(connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one())


def test_rebuilding_a_table_keeps_its_children(app: Flask) -> None:
    """SQLite rebuilds a table by dropping it; ON DELETE CASCADE must not see that."""
    parent_and_child(app)

    def rebuild(op: Operations) -> None:
        with op.batch_alter_table("parent", recreate="always") as batch:
            batch.add_column(sa.Column("added", sa.Text()))

    run_steps(rebuild)
    assert children() == 1
    assert foreign_keys() == 1


def test_a_migration_that_orphans_rows_is_taken_back(app: Flask) -> None:
    """Foreign keys are checked before the commit, and are kept again afterwards."""
    parent_and_child(app)
    with pytest.raises(BrokenReferences, match=r"1 rows without .* child \(to parent\)"):
        run_steps(lambda op: op.execute("DELETE FROM parent"))
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM parent").scalar_one() == 1
    assert foreign_keys() == 1


def test_the_next_transaction_of_a_migrated_connection_is_an_ordinary_one(app: Flask) -> None:
    """Nothing of the migration's care stays on the connection."""
    alembic.upgrade()
    connection = alembic.migration_context.connection
    assert connection is not None
    assert connection.get_execution_options()["sqlite_begin"] == "DEFERRED"
    assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 5000


def test_a_newer_database_is_left_alone(any_app: Flask) -> None:
    """Code that does not know the database's migration changes nothing."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql(STAMP)
    with pytest.raises(NewerDatabase, match=r"migration 9999, .* Deploy that release"):
        alembic.upgrade()
    with db.engine.connect() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        assert version == "9999"
        assert "newer release" in (alembic.trouble(connection) or "")


def test_a_new_migration_gets_the_next_number(app: Flask) -> None:
    """Migrations are read in the order of their names."""
    newest = max(script.revision for script in alembic.script_directory.walk_revisions())
    assert alembic.rev_id() == f"{int(newest) + 1:04d}"


@pytest.mark.parametrize(
    ("arguments", "output"),
    [
        (("db", "upgrade", "nosuch"), "Can't locate revision identified by 'nosuch'."),
        (("db", "upgrade"), ""),
        (("db", "current"), "(head)"),
        (("db", "check"), "No changes detected."),
        (("db", "downgrade"), ""),
    ],
    ids=" ".join,
)
def test_a_migration_command_answers(app: Flask, arguments: tuple[str, ...], output: str) -> None:
    """Each one says what is asked, and none shows a traceback."""
    result = app.test_cli_runner().invoke(args=arguments)
    assert output in result.output
    assert "Traceback" not in result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)


def add_to_a_counter(app: Flask, times: int, errors: list[BaseException]) -> None:
    """Read a number, and write the next one."""
    try:
        for _ in range(times):
            with app.app_context(), transaction() as session:
                topic = session.execute(sa.select(Topic).with_for_update()).scalar_one()
                topic.name = str(int(topic.name) + 1)
    except BaseException as error:  # noqa: BLE001 - the test looks at every one
        errors.append(error)


@pytest.mark.slow
def test_concurrent_writers_lose_nothing(any_app: Flask) -> None:
    """Read-modify-write through transaction() is safe, and nobody is told to come back."""
    with transaction() as session:
        session.add(Topic(slug="counter", name="0"))
    db.session.remove()
    errors: list[BaseException] = []
    threads = [
        threading.Thread(target=add_to_a_counter, args=(any_app, 20, errors)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert db.session.execute(sa.select(Topic.name)).scalar_one() == "160"


@pytest.mark.slow
def test_writers_in_several_processes_lose_nothing(app: Flask, tmp_path: Path) -> None:
    """As above, with processes: a lock inside one process would not do."""
    with transaction() as session:
        session.add(Topic(slug="counter", name="0"))
    db.session.remove()
    times = share(50)
    code = (
        "from app import create_app; from tests.test_database import add_to_a_counter; "
        f"errors = []; add_to_a_counter(create_app(), {times}, errors); assert not errors, errors"
    )
    started = [
        start_python(["-c", code], env=environment(tmp_path, {}), log=tmp_path / f"{number}.log")
        for number in range(4)
    ]
    assert [process.wait(100) for process in started] == [0, 0, 0, 0]
    assert db.session.execute(sa.select(Topic.name)).scalar_one() == str(4 * times)


def test_a_reader_does_not_wait_for_a_writer(app: Flask) -> None:
    """Reading takes no lock, so pages are served while an editor saves."""
    with db.engine.connect().execution_options(sqlite_begin="IMMEDIATE") as writer:
        writer.exec_driver_sql("INSERT INTO topic (slug, name, description) VALUES ('a', 'A', '')")
        assert db.session.query(Topic).count() == 0
        writer.commit()


@pytest.fixture
def busy_database(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Somebody else holds the write lock, and we wait only for a moment."""
    other = sqlite3.connect(Path(app.instance_path) / "broadsheet.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    db.session.connection().exec_driver_sql("PRAGMA busy_timeout=1")
    yield
    other.execute("ROLLBACK")
    other.close()


def test_a_busy_database_is_said_in_a_sentence(app: Flask, busy_database: None) -> None:
    """It is an OperationalError for code, and a message for people."""
    with pytest.raises(OperationalError) as error, transaction():
        pass
    assert isinstance(error.value, UnusableDatabaseError)
    assert error.value.format_message().startswith("The database is busy: another process")


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("sqlite:////dev/null/a.db", "The database file can't be opened: look at DATABASE_URL"),
        ("sqlite:///text.db", "The file that DATABASE_URL names is not a SQLite database"),
        ("postgresql+psycopg://u:hidden@127.0.0.1:1/n", r"u:\*\*\*@127.0.0.1:1/n can't be reached"),
        ("postgresql+psycopg://u@nowhere.invalid/n", "nowhere.invalid/n can't be reached: .*host"),
    ],
)
def test_a_database_that_cannot_be_used_is_said_in_a_sentence(
    url: str, sentence: str, tmp_path: Path
) -> None:
    """The sentence says where it was looked for, and shows no password."""
    (tmp_path / "text.db").write_text("This is no database." * 100)
    app = create_app({"INSTANCE": str(tmp_path), "DATABASE_URL": url, "SECRET_KEY": "x"})
    with app.app_context(), pytest.raises(UnusableDatabaseError, match=sentence) as error:
        db.session.execute(sa.text("SELECT 1 FROM post"))
    assert "hidden" not in error.value.format_message()


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def test_a_database_without_tables_says_which_command_makes_them(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Whichever table was missed first."""
    settings = {"INSTANCE": str(tmp_path), "SECRET_KEY": "x"}
    if database == "postgresql":
        url = request.getfixturevalue("empty_postgres_url")
        settings["DATABASE_URL"] = url.replace("postgresql:", "postgresql+psycopg:")
    app = create_app(settings)
    with app.app_context(), pytest.raises(UnusableDatabaseError, match="`flask db upgrade`"):
        db.session.execute(sa.select(Topic.id))
    with app.app_context():
        db.engine.dispose()
