"""`flask db backup` and `flask db restore`, and no log that outlives a clean stop."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask

from app.database import BackupError, postgresql_copy, sqlite_copy
from app.edge.flask.deploy import check_triggers
from app.extensions import alembic, db
from app.publishing.models import Topic
from app.publishing.transaction import transaction

from .live.forked_python import run_python
from .live.gunicorn import environment, flask
from .live.postgres import Postgres
from .live.programs import Running, free_port, running_python

SITE = {"SITE_URL": "http://site.test"}
"""A change is delivered by a process that speaks for the same site."""


def write_topic(slug: str) -> None:
    """Add a topic."""
    with transaction() as session:
        session.add(Topic(slug=slug, name=slug))
    db.session.remove()


def topics() -> list[str]:
    """The topics that are there."""
    slugs = list(db.session.scalars(sa.select(Topic.slug).order_by(Topic.slug)))
    db.session.remove()
    return slugs


def run(app: Flask, *arguments: str) -> tuple[int, str]:
    """Run a `flask db` command in this process."""
    db.session.remove()
    result = app.test_cli_runner().invoke(args=["db", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


@pytest.fixture
def copy(any_app: Flask, tmp_path: Path) -> Path:
    """A backup that has the topic `old`, of a database that has `new` besides."""
    write_topic("old")
    file = tmp_path / "backup"
    assert run(any_app, "backup", str(file))[0] == 0
    write_topic("new")
    return file


def test_a_backup_brings_back_what_was_there(any_app: Flask, copy: Path) -> None:
    """The topic that came later is gone, the triggers are sound, and everything is to be purged."""
    assert topics() == ["new", "old"]
    status, output = run(any_app, "restore", str(copy))
    assert (status, "everything is purged" in output) == (0, True), output
    assert topics() == ["old"]
    assert check_triggers(any_app).trouble is None
    with db.engine.connect() as connection:
        log = connection.exec_driver_sql("SELECT op, resolved FROM edge_change").all()
        assert [tuple(row) for row in log] == [("E", False)]
    write_topic("later")
    assert topics() == ["later", "old"]


def test_a_backup_overwrites_nothing(any_app: Flask, copy: Path) -> None:
    """Not even a link that leads nowhere; and nothing half is left in the folder."""
    before = copy.read_bytes()
    status, output = run(any_app, "backup", str(copy))
    assert (status, "exists: remove it" in output) == (1, True)
    assert copy.read_bytes() == before
    link = copy.with_name("link")
    link.symlink_to(copy.with_name("nowhere"))
    assert run(any_app, "backup", str(link))[0] == 1
    assert not list(copy.parent.glob(".*"))
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600


def test_a_backup_that_fails_leaves_no_file(
    any_app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The folder is as it was; one that is not there is named."""

    def fail(_source: object, partial: Path) -> None:
        partial.write_text("half")
        raise BackupError("The disk is full.")

    for module in (sqlite_copy, postgresql_copy):
        monkeypatch.setattr(module, "save", fail)
    before = sorted(tmp_path.iterdir())
    assert run(any_app, "backup", str(tmp_path / "new"))[0] == 1
    assert sorted(tmp_path.iterdir()) == before
    status, output = run(any_app, "backup", str(tmp_path / "away" / "new"))
    assert (status, "can't be written" in output) == (1, True)


@contextmanager
def other_connection(app: Flask) -> Iterator[None]:
    """Another program has the database open, and does nothing."""
    if db.engine.dialect.name == "sqlite":
        other = sqlite3.connect(Path(app.instance_path) / "broadsheet.db")
        other.execute("SELECT count(*) FROM topic").fetchall()
        yield
        other.close()
        return
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url):
        yield


def test_a_database_that_is_in_use_is_not_restored(any_app: Flask, copy: Path) -> None:
    """Nothing has changed then, and once it is free the same command succeeds."""
    with other_connection(any_app):
        status, output = run(any_app, "restore", str(copy))
        assert (status, "stop the site" in output) == (1, True), output
        assert topics() == ["new", "old"]
        db.engine.dispose()
    assert run(any_app, "restore", str(copy))[0] == 0


@pytest.mark.parametrize("text", ["", "This is no backup.", "PGDMP and no more", None])
def test_what_is_no_backup_is_not_restored(any_app: Flask, copy: Path, text: str | None) -> None:
    """An empty file, a text, half a backup: each is refused, and nothing has changed."""
    half = copy.read_bytes()[: copy.stat().st_size // 2]
    broken = copy.with_name("broken")
    broken.write_bytes(half if text is None else text.encode())
    status, output = run(any_app, "restore", str(broken))
    assert (status, output.startswith("Error: ")) == (1, True), output
    assert run(any_app, "restore", str(copy.with_name("none")))[0] == 1
    assert topics() == ["new", "old"]


def test_a_backup_of_another_site_or_of_a_newer_release_is_not_restored(
    any_app: Flask, copy: Path
) -> None:
    """Its migration is not one that this code knows."""
    with db.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    newer = copy.with_name("newer")
    assert run(any_app, "backup", str(newer))[0] == 0
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    stranger = copy.with_name("stranger")
    assert run(any_app, "backup", str(stranger))[0] == 0
    status, output = run(any_app, "restore", str(newer))
    assert (status, "migration 9999, which this code does not know" in output) == (1, True)
    status, output = run(any_app, "restore", str(stranger))
    assert (status, "holds no migrated database" in output) == (1, True)
    assert topics() == ["new", "old"]


def test_a_backup_of_an_older_release_is_upgraded(any_app: Flask, copy: Path) -> None:
    """Tables that came with a later migration are not in the way."""
    with any_app.app_context():
        alembic.downgrade("0007")
    older = copy.with_name("older")
    assert run(any_app, "backup", str(older))[0] == 0
    with any_app.app_context():
        alembic.upgrade()
    status, output = run(any_app, "restore", str(older))
    assert status == 0, output
    with any_app.app_context():
        assert alembic.compare_metadata() == []
    assert check_triggers(any_app).trouble is None


def test_the_gateway_is_emptied(make_app: Callable[..., Flask], tmp_path: Path) -> None:
    """A page of this machine's gateway does not outlive the database that it was made from."""
    app = make_app(EDGE_GATEWAY=True, EDGE_STORE=str(tmp_path / "store"))
    client = app.test_client()
    assert run(app, "backup", str(tmp_path / "copy"))[0] == 0
    client.get("/about")
    client.get("/")
    assert "; hit" in client.get("/").headers["Cache-Status"]
    assert run(app, "restore", str(tmp_path / "copy"))[0] == 0
    response = client.get("/")
    assert "; hit" not in response.headers["Cache-Status"]


@contextmanager
def served(instance: Path, **settings: str) -> Iterator[Running]:
    """The site on gunicorn over an instance folder; it is stopped cleanly at the end."""
    port = free_port()
    own = {"FLASK_PORT": str(port), "FLASK_BIND": "127.0.0.1", "WEB_CONCURRENCY": "2"}
    with running_python(
        ["-m", "gunicorn", "wsgi:app"],
        port=port,
        log=instance.parent / f"gunicorn-{port}.log",
        env=environment(instance, {**own, **SITE, **settings}),
    ) as site:
        yield site
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(20) == 0, site.log.read_text()


def title(site: Running) -> str:
    """The title of the page about the site, and that it is shared."""
    text = httpx.get(f"{site.url}/about", headers={"Host": "site.test"}, timeout=20).text
    return text.partition("<title>")[2].partition("</title>")[0]


def retitle(instance: Path, settings: dict[str, str], text: str) -> None:
    """Change the title by a command of its own, as an editor would."""
    code = (
        "import sqlalchemy as sa; from app import create_app; "
        "from app.publishing.models import Post; "
        "from app.publishing.transaction import transaction\n"
        "with create_app().app_context(), transaction() as session:\n"
        f"    session.execute(sa.update(Post).where(Post.slug == 'about').values(title='{text}'))"
    )
    run_python(["-c", code], env=environment(instance, {**SITE, **settings})).check_returncode()


@pytest.fixture
def instance(tmp_path: Path, sampled: Path) -> Path:
    """An instance folder with the sample publication."""
    folder = tmp_path / "instance"
    folder.mkdir()
    shutil.copy(sampled, folder / "broadsheet.db")
    return folder


@pytest.fixture
def sampled_url(postgres: Postgres, sampled_postgres: str) -> Iterator[str]:
    """The address of a PostgreSQL database with the sample publication."""
    url = postgres.create(template=sampled_postgres)
    yield url
    postgres.drop(url)


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_a_site_is_restored(instance: Path, database: str, request: pytest.FixtureRequest) -> None:
    """While it runs this is refused; afterwards every process shows what the backup has."""
    settings: dict[str, str] = {}
    if database == "postgresql":
        settings["DATABASE_URL"] = request.getfixturevalue("sampled_url")
    file = str(instance.parent / "copy")
    with served(instance, **settings) as site:
        before = title(site)
        backup = flask("db", "backup", file, instance=instance, settings=settings)
        assert backup.returncode == 0, backup.stderr
        retitle(instance, settings, "Another title")
        assert "Another title" in title(site)
        second_restore = flask("db", "restore", file, instance=instance, settings=settings)
        assert (second_restore.returncode, "stop the site" in second_restore.stderr) == (1, True)
        assert "Another title" in title(site)
    restored = flask("db", "restore", file, instance=instance, settings=settings)
    assert restored.returncode == 0, restored.stderr
    with served(instance, **settings) as site:
        assert title(site) == before


@pytest.mark.live
@pytest.mark.slow
def test_a_clean_stop_leaves_no_log_behind(instance: Path, migrated: Path) -> None:
    """So a file that is copied over the database is what the next start shows."""
    shutil.copy(migrated, instance / "broadsheet.db")
    assert flask("content", "sample", instance=instance).returncode == 0
    assert sorted(path.name for path in instance.glob("broadsheet.db*")) == ["broadsheet.db"]
    shutil.copy(instance / "broadsheet.db", instance / "copy.db")
    with served(instance) as site:
        before = title(site)
        retitle(instance, {}, "Another title")
        assert "Another title" in title(site)
    assert not list(instance.glob("broadsheet.db-wal"))
    shutil.copy(instance / "copy.db", instance / "broadsheet.db")
    with served(instance) as site:
        assert title(site) == before
