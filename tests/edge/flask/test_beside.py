"""Inputs of a page that SQLAlchemy does not read: caches, cursors, files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, render_template, send_file, url_for
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from app.edge import Freshness, Policy, cached
from app.edge.changes import WatchedTable
from app.edge.dependencies import PublicSchema
from app.edge.flask import Edge
from app.edge.policy.guard import Leak
from app.edge.testing import assert_hit, assert_no_store
from tests.edge.purge.conftest import build, connect, post

WATCHED = (WatchedTable(table="post"),)
PAGE = Policy(name="P", edge=Freshness(ttl=timedelta(days=1)))
SITE = "https://example.org"
View = Callable[[], Any]
Make = Callable[..., Flask]


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with two posts."""
    engine = connect(f"sqlite:///{tmp_path / 'small.db'}")
    build(engine, posts=2)
    yield engine
    engine.dispose()


@pytest.fixture
def make(engine: Engine, tmp_path: Path) -> Make:
    """An app with one page, and a file."""
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "site.css").write_text("a {}")
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "p.html").write_text("{{ url_for('static', filename='site.css') }}")
    (tmp_path / "notes.txt").write_text("notes")

    def make(view: View, *, strict: bool = False, reads: tuple[str, ...] | None = None) -> Flask:
        app = Flask("small", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
        app.config |= {"EDGE_GATEWAY": "on", "EDGE_RELAY": False, "EDGE_STRICT": strict}
        edge = Edge()
        edge.init_app(app, gateway={"site": SITE})
        edge.track(app, engine, WATCHED, PublicSchema.from_watched_tables(WATCHED), site=SITE)
        app.testing = strict
        app.add_url_rule("/p", "show", cached(PAGE, reads=reads)(view))
        return app

    return make


def get(app: Flask, path: str = "/p") -> Any:
    """Return the response to a request."""
    return app.test_client().get(path, base_url=SITE)


def assert_refused(make: Make, view: View, reason: str) -> None:
    """The page is served and not shared; development raises the reason."""
    for _ in range(2):
        answer = get(make(view))
        assert answer.status_code == 200
        assert_no_store(answer)
    with pytest.raises(Leak, match=reason):
        get(make(view, strict=True))


def change(engine: Engine, version: int) -> None:
    """Change every post, and commit."""
    with engine.begin() as connection:
        connection.execute(sa.update(post).values(version=version))


def versions(engine: Engine) -> str:
    """Read the versions through SQLAlchemy."""
    with engine.connect() as connection:
        return str([tuple(row) for row in connection.execute(sa.select(post.c.version))])


def by_raw_connection(engine: Engine) -> str:
    """A cursor of a connection from the pool."""
    raw = engine.raw_connection()
    cursor = raw.cursor()
    rows = cursor.execute("SELECT version FROM post").fetchall()
    raw.close()
    return str(rows)


def by_the_driver(engine: Engine) -> str:
    """The driver's connection itself, without its proxy."""
    raw = engine.raw_connection()
    driver: Any = raw.driver_connection
    rows = driver.execute("SELECT version FROM post").fetchall()
    raw.close()
    return str(rows)


def by_connection(engine: Engine) -> str:
    """A cursor below a connection of SQLAlchemy."""
    with engine.connect() as connection:
        cursor = connection.connection.cursor()
        return str(cursor.execute("SELECT version FROM post").fetchall())


def by_session(engine: Engine) -> str:
    """A cursor below a session."""
    with Session(engine) as session:
        proxy: Any = session.connection().connection
        return str(proxy.execute("SELECT version FROM post").fetchall())


DRIVER = [by_raw_connection, by_the_driver, by_connection, by_session]


@pytest.mark.parametrize("how", DRIVER)
def test_a_cursor_of_the_driver_is_a_finding(
    make: Make, engine: Engine, how: Callable[[Engine], str]
) -> None:
    """Its reads can't be recorded."""
    assert_refused(make, lambda: how(engine), "driver|raw_connection")


@pytest.mark.parametrize("how", DRIVER)
def test_declared_tables_are_followed(
    make: Make, engine: Engine, how: Callable[[Engine], str]
) -> None:
    """Any change of them purges the page."""
    app = make(lambda: how(engine), reads=("post",))
    before = get(app)
    assert "no-store" not in before.headers["Cache-Control"]
    assert_hit(get(app))
    change(engine, 7)
    assert "7" in get(app).text


def test_a_declared_table_that_is_not_watched_is_refused(make: Make) -> None:
    """Its changes are not logged."""
    app = make(lambda: "page", reads=("edge_tier",), strict=True)
    with pytest.raises(Leak, match="not watched"):
        get(app)


def test_sqlalchemy_itself_is_no_finding(make: Make, engine: Engine) -> None:
    """It runs every statement on a cursor of the driver, including isolation levels and savepoints."""

    def view() -> str:
        with engine.connect().execution_options(isolation_level="SERIALIZABLE") as connection:
            with connection.begin_nested():
                connection.execute(sa.select(post)).all()
            return str(connection.execute(sa.select(post)).all())

    app = make(view, strict=True)
    get(app)
    assert_hit(get(app))


def test_a_page_whose_rows_were_kept_in_the_process_is_not_stored(
    make: Make, engine: Engine
) -> None:
    """Its last render read the database and this one did not, so no change would purge it."""
    app = make(lru_cache(lambda: versions(engine)))
    get(app)
    assert_hit(get(app))
    change(engine, 7)
    for _ in range(2):
        answer = get(app)
        assert_no_store(answer)
        assert "detail=emptied" in answer.headers["Cache-Status"]


def test_a_page_without_rows_is_stored_again(make: Make) -> None:
    """It never had any."""
    app = make(lambda: "static")
    get(app)
    app.extensions["edge"].embedded_gateway.gateway.purge_all()
    get(app)
    assert_hit(get(app))


def test_a_page_that_no_longer_reads_anything_is_stored_after_a_release(
    make: Make, engine: Engine
) -> None:
    """Its code has changed, so it may not read rows any longer."""
    app = make(lambda: versions(engine))
    get(app)
    edited = make(lambda: "static")
    parts = edited.extensions["edge"].tracker.parts
    code_part = parts._code_part
    parts.__dict__["_code_part"] = type(code_part)(
        kind=code_part.kind, name=code_part.name, digest="edited"
    )
    edited.extensions["edge"].embedded_gateway.gateway.purge_all()
    get(edited)
    assert_hit(get(edited))


class Backend:
    """The methods of a Flask-Caching backend that are called."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def get(self, key: str) -> Any:
        """A value, or None."""
        return self.values.get(key)

    def set(self, key: str, value: Any) -> None:
        """Store a value."""
        self.values[key] = value

    def get_many(self, *keys: str) -> list[Any]:
        """Several values."""
        return [self.values.get(key) for key in keys]

    def get_dict(self, *keys: str) -> dict[str, Any]:
        """Several values by their keys."""
        return dict(zip(keys, self.get_many(*keys), strict=True))


def memoizing(engine: Engine, backend: Backend) -> View:
    """A view like that of Flask-Caching's memoize: it reads a version, then the value."""

    def view() -> str:
        backend.get_many("show_memver")
        backend.set("show_memver", "v1")
        cached_value = backend.get("show")
        if cached_value is None:
            cached_value = versions(engine)
            backend.set("show", cached_value)
        return str(cached_value)

    return view


def test_a_hit_of_flask_caching_is_a_finding(make: Make, engine: Engine) -> None:
    """A miss is no finding, because all rows were read."""
    backend = Backend()
    app = make(memoizing(engine, backend))
    app.extensions["cache"] = {object(): backend}
    assert "no-store" not in get(app).headers["Cache-Control"]
    assert_hit(get(app))
    change(engine, 7)
    answer = get(app)
    assert_no_store(answer)
    assert "reads-unknown" in answer.headers["Cache-Status"]


@pytest.mark.parametrize("how", ["get", "get_many", "get_dict"])
def test_every_way_to_ask_flask_caching_counts(make: Make, how: str) -> None:
    """Several values can be read at once."""
    backend = Backend()
    backend.set("a", 1)
    app = make(lambda: str(getattr(backend, how)("a")), strict=True)
    app.extensions["cache"] = {object(): backend}
    with pytest.raises(Leak, match="Flask-Caching"):
        get(app)


def test_a_hit_outside_a_page_is_no_finding(make: Make) -> None:
    """A command of the app uses the same cache."""
    backend = Backend()
    backend.set("a", 1)
    app = make(lambda: "hi", strict=True)
    app.extensions["cache"] = {object(): backend}
    assert get(app).status_code == 200
    assert backend.get("a") == 1
    assert_hit(get(app))


def test_a_hit_may_be_declared(make: Make) -> None:
    """An app that empties the cache with each write declares it."""
    backend = Backend()
    backend.set("a", 1)
    app = make(lambda: str(backend.get("a")), reads=(), strict=True)
    app.extensions["cache"] = {object(): backend}
    get(app)
    assert_hit(get(app))


def read_text(path: Path) -> str:
    """Read a file with the built-in functions."""
    with open(path) as file:  # noqa: PTH123 - as above
        return file.read()


def read_descriptor(path: Path) -> bytes:
    """Read a file by its number, as a C library does."""
    number = os.open(path, os.O_RDONLY)
    try:
        return os.read(number, 100)
    finally:
        os.close(number)


FILES: dict[str, Callable[[Path], Any]] = {
    "open": read_text,
    "pathlib": lambda path: path.read_text(),
    "send_file": send_file,
    "a descriptor": read_descriptor,
}


@pytest.mark.parametrize("how", FILES.values(), ids=FILES)
def test_a_file_is_a_finding_in_strict_mode(
    make: Make, tmp_path: Path, how: Callable[[Path], Any]
) -> None:
    """Its changes are not tracked; production does not check."""
    path = tmp_path / "notes.txt"
    with pytest.raises(Leak, match=r"notes\.txt"):
        get(make(lambda: how(path), strict=True))
    answer = get(make(lambda: how(path)))
    answer.close()
    assert "no-store" not in answer.headers["Cache-Control"]


def test_what_the_program_opens_is_no_finding(make: Make, tmp_path: Path) -> None:
    """Templates, static files, modules, time zones and written files are no untracked inputs."""

    def view() -> str:
        import wave  # noqa: F401, PLC0415 - a module that is not imported yet
        from zoneinfo import ZoneInfo  # noqa: PLC0415

        (tmp_path / "log.txt").write_text("seen")
        os.close(os.open(tmp_path / "log.txt", os.O_WRONLY | os.O_APPEND))
        os.urandom(1)
        with open(os.devnull) as null:  # noqa: PTH123 - a device is no content
            null.read()
        return f"{ZoneInfo.no_cache('Europe/Lisbon')} {render_template('p.html')} {url_for('show')}"

    app = make(view, strict=True)
    assert get(app).status_code == 200
    assert_hit(get(app))
