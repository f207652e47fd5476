"""Migrations of watched tables, as Alembic's commands run them with an env.py of an app's own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from flask import Flask
from flask_alembic import Alembic
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy.engine import Connection, Engine

from app.config.parsers import database_url
from app.edge.alembic import without_triggers
from app.edge.changes import WatchedTable, define_tables, find_drift, install_triggers
from app.edge.changes.triggers import remove_triggers

WATCHED = (WatchedTable(table="post", compared_columns=("slug",)),)

ENV = """
from alembic import context
from app.edge.alembic import run_migrations
from tests.edge.test_alembic import WATCHED

def configured(**options):
    context.configure(
        target_metadata=None, render_as_batch=True,
        transaction_per_migration=context.config.attributes["per_migration"], **options,
    )

if context.is_offline_mode():
    configured(url=str(context.config.attributes["engine"].url), literal_binds=True)
    with context.begin_transaction():
        run_migrations(context, WATCHED)
else:
    with context.config.attributes["engine"].connect() as connection:
        configured(connection=connection)
        with context.begin_transaction():
            run_migrations(context, WATCHED)
"""
REVISION = """
from alembic import op
import sqlalchemy as sa
revision, down_revision = {revision!r}, {down!r}
def upgrade():
    {upgrade}
def downgrade():
    {downgrade}
"""
STEPS = {
    "drops a column": (
        "op.drop_column('post', 'body')",
        "op.add_column('post', sa.Column('body', sa.Text))",
    ),
    "renames a column": (
        "op.alter_column('post', 'body', new_column_name='text')",
        "op.alter_column('post', 'text', new_column_name='body')",
    ),
    "adds a column": (
        "op.add_column('post', sa.Column('more', sa.Text, server_default='x'))",
        "op.drop_column('post', 'more')",
    ),
    "rebuilds the table": (
        "with op.batch_alter_table('post', recreate='always') as b: b.alter_column('slug')",
        "pass",
    ),
    "writes rows": ("op.execute(\"UPDATE post SET body = 'z'\")", "pass"),
}


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Each database in turn, with a post whose table is watched."""
    url = f"sqlite:///{tmp_path / 'a.db'}"
    if request.param == "postgresql":
        url = database_url(request.getfixturevalue("empty_postgres_url"))
    engine = sa.create_engine(url)
    with engine.begin() as connection:
        make_tables(connection)
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("INSERT INTO post (id, slug) VALUES (1, 'a')")
        connection.exec_driver_sql("DELETE FROM edge_change")
    yield engine
    engine.dispose()


def make_tables(connection: Connection) -> None:
    """The tables of an app, and those of the change log."""
    metadata = sa.MetaData()
    define_tables(metadata)
    sa.Table(
        "post",
        metadata,
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("slug", sa.String(20)),
        sa.Column("body", sa.Text),
    )
    metadata.create_all(connection)


def script(engine: Engine, folder: Path, *steps: tuple[str, str], per_migration: bool) -> Config:
    """A migration environment with these revisions, 1 and so on."""
    versions = folder / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "env.py").write_text(ENV)
    for number, (upgrade, downgrade) in enumerate(steps, 1):
        text = REVISION.format(
            revision=str(number),
            down=str(number - 1) if number > 1 else None,
            upgrade=upgrade,
            downgrade=downgrade,
        )
        (versions / f"r{number}.py").write_text(text)
    config = Config(output_buffer=io.StringIO(), stdout=io.StringIO())
    config.set_main_option("script_location", str(versions.parent))
    config.set_main_option("path_separator", "os")
    config.attributes.update(engine=engine, per_migration=per_migration)
    return config


def operations(engine: Engine) -> list[str]:
    """Return the operations in the log, and empty it."""
    with engine.begin() as connection:
        rows = connection.exec_driver_sql("SELECT op FROM edge_change ORDER BY id").scalars().all()
        connection.exec_driver_sql("DELETE FROM edge_change")
    return [str(row) for row in rows]


def trouble(engine: Engine, watched: tuple[WatchedTable, ...] = WATCHED) -> str | None:
    """Return why the triggers are invalid."""
    with engine.begin() as connection:
        return find_drift(connection, watched)


@pytest.mark.parametrize("per_migration", [False, True], ids=["at once", "one by one"])
@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_migration_succeeds_and_the_triggers_are_back(
    engine: Engine, tmp_path: Path, step: tuple[str, str], per_migration: bool
) -> None:
    """Up and down: "everything" is logged, no row is lost, and writes are logged again."""
    config = script(engine, tmp_path, step, per_migration=per_migration)
    for run, revision in ((command.upgrade, "head"), (command.downgrade, "base")):
        run(config, revision)
        assert operations(engine) == ["E"]
        assert trouble(engine) is None
        with engine.begin() as connection:
            connection.exec_driver_sql("UPDATE post SET slug = slug || 'x' WHERE id = 1")
        assert operations(engine) == ["U"]


@pytest.mark.parametrize("per_migration", [False, True], ids=["at once", "one by one"])
def test_a_migration_that_fails_leaves_the_triggers_installed(
    engine: Engine, tmp_path: Path, per_migration: bool
) -> None:
    """Whether the step before it was committed or rolled back."""
    steps = (STEPS["adds a column"], ("raise LookupError('no')", "pass"))
    config = script(engine, tmp_path, *steps, per_migration=per_migration)
    with pytest.raises(LookupError):
        command.upgrade(config, "head")
    assert trouble(engine) is None
    operations(engine)
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE post SET slug = 'b'")
    assert operations(engine) == ["U"]


def test_a_command_that_migrates_nothing_purges_nothing(engine: Engine, tmp_path: Path) -> None:
    """`current` does not touch the triggers, nor does an upgrade to the current revision."""
    config = script(engine, tmp_path, STEPS["adds a column"], per_migration=False)
    command.upgrade(config, "head")
    operations(engine)
    command.current(config)
    command.upgrade(config, "head")
    assert operations(engine) == []


def test_sql_is_printed_without_a_database(engine: Engine, tmp_path: Path) -> None:
    """In offline mode no triggers are removed."""
    config = script(engine, tmp_path, STEPS["adds a column"], per_migration=False)
    command.upgrade(config, "head", sql=True)
    assert operations(engine) == []
    assert trouble(engine) is None


def test_a_schema_without_a_declared_column_is_left_without_triggers(
    engine: Engine, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The migration succeeds, the log and `drift` say what is missing, and writes succeed."""
    step = ("op.drop_column('post', 'slug')", "op.add_column('post', sa.Column('slug', sa.Text))")
    config = script(engine, tmp_path, step, per_migration=False)
    command.upgrade(config, "head")
    assert "post has no column slug" in caplog.text
    assert "post has no column slug" in str(trouble(engine))
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE post SET body = 'x'")
    command.downgrade(config, "base")
    assert trouble(engine) is None


def test_a_log_of_an_older_release_gets_no_trigger(engine: Engine) -> None:
    """A trigger that writes a column which the log lacks would fail every write."""
    with engine.begin() as connection:
        remove_triggers(connection)
        connection.exec_driver_sql("ALTER TABLE edge_change DROP COLUMN written_at")
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql("UPDATE post SET slug = 'b'")
        assert "edge_change with the column written_at" in str(find_drift(connection, WATCHED))


def test_flask_alembic_runs_without_triggers(engine: Engine, tmp_path: Path) -> None:
    """Its extension has one method to override."""

    class Migrations(Alembic):
        def run_migrations(self, fn: object, **kwargs: object) -> None:
            super().run_migrations(without_triggers(fn, WATCHED), **kwargs)  # type: ignore[arg-type]

    app = Flask("small", root_path=str(tmp_path))
    app.config |= {"SQLALCHEMY_DATABASE_URI": engine.url.render_as_string(hide_password=False)}
    db = SQLAlchemy(app)
    versions = tmp_path / "migrations"
    versions.mkdir()
    upgrade, downgrade = STEPS["drops a column"]
    text = REVISION.format(revision="1", down=None, upgrade=upgrade, downgrade=downgrade)
    (versions / "r1.py").write_text(text)
    migrations = Migrations(app, metadatas=db.metadata, engines=engine)
    with app.app_context():
        migrations.upgrade()
        assert operations(engine) == ["E"]
        assert trouble(engine) is None
        db.engine.dispose()
