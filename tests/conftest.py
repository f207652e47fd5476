"""What every test may ask for: an app over a migrated database of its own, and a client."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache

from app import create_app
from app.config import SETTINGS
from app.config.parsers import database_url
from app.extensions import alembic, db

from . import depth
from .live.programs import PACKED
from .live.run_folder import RUN
from .shared_work import share_work

share_work()
depth.register_profiles()  # before a test module is imported: decorators read the profile

PLATFORM = {variable for setting in SETTINGS for variable in setting.variables}

pytest_plugins = [
    "tests.case_sampling",
    "tests.coverage_data",
    "tests.live.chromium",
    "tests.live.gunicorn",
    "tests.live.nginx",
    "tests.live.postgres",
    "tests.live.sample_databases",
    "tests.live.varnish",
    "tests.site.content_database",
]


RUN_ENDED = pytest.StashKey[bool]()


def pytest_sessionstart(session: pytest.Session) -> None:
    """A run that is interrupted or killed leaves neither servers nor folders behind."""
    RUN.use_as_tempdir()
    if session.config.option.basetemp is None:
        RUN.add_folder(basetemp(session))


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop(session: pytest.Session) -> Generator[None, object, object]:
    """Note that the run came to its end, by its last test or by -x.

    The exit status can't tell: after a second Ctrl-C it is that of a failed test.
    """
    try:
        result = yield
    except pytest.Session.Failed:
        session.stash[RUN_ENDED] = True
        raise
    session.stash[RUN_ENDED] = True
    return result


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Keep pytest's folder after a run that came to its end, for a look at what failed."""
    if session.config.option.basetemp is None and session.stash.get(RUN_ENDED, False):
        RUN.release_folder(basetemp(session))


def basetemp(session: pytest.Session) -> Path:
    """The folder that holds the temporary folders of all tests of this run."""
    factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # no public name
    return factory.getbasetemp()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the fast tests first, then the slow ones: a mistake shows within seconds.

    The live tests come last, in many groups of middle size, so that all processes of a parallel run
    end at about the same time. One process runs all tests of a group.
    """
    items.sort(key=run_order)
    if config.getoption("loadgroup", default=False):
        for item in items:
            add_group(item)


def add_group(item: pytest.Item) -> None:
    """Write the group at the end of the name, where xdist reads which process runs the test.

    The marker `xdist_group` of xdist 3.8 has no effect: it sets an attribute that pytest 9.2 removed.
    """
    if group := find_group(item):
        node_id = item._id  # it has no public name
        item._id = type(node_id).parse(f"{node_id}@{group}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Print the name of a test without its group, so that it can be run by that name."""
    if hasattr(report, "node") and report.nodeid.rfind("@") > report.nodeid.rfind("]"):
        report.nodeid = report.nodeid.rpartition("@")[0]


LONG_GROUPS = (
    "tests/properties/",
    "tests/test_backups.py",
    "tests/live/test_crash.py",
    "tests/live/test_varnish_house.py",
    "tests/live/test_as_served.py",
    "tests/live/test_browser.py",
    "tests/live/test_check.py",
)


def run_order(item: pytest.Item) -> tuple[int, bool]:
    """The place of a test in the run: fast, slow, slow and live, live.

    Long groups begin first in each part, so that no process works alone for long at the end.
    """
    live, slow = "live" in item.keywords, "slow" in item.keywords
    return (3 - slow) if live else int(slow), not item.nodeid.startswith(LONG_GROUPS)


def find_group(item: pytest.Item) -> str | None:
    """The group of tests that one process runs, so that it starts the servers of a module once.

    It is the module. A slow test that shares no server or app has no group.
    """
    path = item.nodeid.partition("::")[0]
    definitions = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]  # no public name
    if any(definition.scope == "module" for several in definitions for definition in several):
        return path
    if "slow" in item.keywords:
        return None
    return f"{path}-{'live' if 'live' in item.keywords else 'fast'}"


def pytest_collection_finish() -> None:
    """Nobody looks for garbage in what stays to the end: six thousand tests and all modules."""
    gc.collect()
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """In CI a test that is skipped because the machine lacks a part of it has failed."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2]
        if "missing part" in reason or "could not import" in reason:
            report.outcome = "failed"
            report.longrepr = f"In CI nothing may be missing: {reason}"
    return report


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("FLASK_") or name in PLATFORM:
            monkeypatch.delenv(name)


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder that is made once for all the processes that run tests."""
    base_folder = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base_folder = base_folder.parent
    with (base_folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (base_folder / name).exists():
            making = Path(tempfile.mkdtemp(prefix="making-", dir=base_folder))
            make(making)
            making.rename(base_folder / name)
    return base_folder / name


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite database to copy from."""

    def make(folder: Path) -> None:
        app = create_app({"INSTANCE": str(folder), "SECRET_KEY": "test", "EDGE_GATEWAY": False})
        with app.app_context():
            alembic.upgrade()
            db.session.remove()
            db.engine.dispose()

    return once(tmp_path_factory, "migrated", make) / "broadsheet.db"


class Compiled(BytecodeCache):
    """Templates are compiled once for all apps: by their names and what they hold."""

    def __init__(self) -> None:
        self._bytecode: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was kept."""
        if bucket.key in self._bytecode:
            bucket.bytecode_from_string(self._bytecode[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep it."""
        self._bytecode[bucket.key] = bucket.bytecode_to_string()


COMPILED = Compiled()


def open_app(folder: Path, **settings: Any) -> Iterator[Flask]:
    """An app in test mode with its context pushed; its database is let go at the end."""
    own = {
        "INSTANCE": str(folder),
        "SECRET_KEY": "test",
        "EDGE_GATEWAY": False,
        "EDGE_REFILL": False,
        "EDGE_RELAY": False,
        "EDGE_BUILD": str(PACKED),
        "TESTING": True,
    }
    app = create_app({**own, **settings})
    app.jinja_env.bytecode_cache = COMPILED
    with app.app_context():
        yield app
        db.session.remove()
    let_go(app)


def let_go(app: Flask) -> None:
    """Close an app's connections, and forget it; its engine would keep it alive for ever."""
    with app.app_context():  # what an earlier context still held is back in the pool
        db.session.remove()
        db.engine.dispose()
    db._app_engines.pop(app, None)


@pytest.fixture
def make_app(tmp_path: Path, migrated: Path) -> Iterator[Callable[..., Flask]]:
    """Make an app with these settings over an empty, migrated SQLite database."""
    shutil.copy(migrated, tmp_path / "broadsheet.db")
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(contextmanager(open_app)(tmp_path, **settings))


@pytest.fixture
def app(tmp_path: Path, migrated: Path) -> Iterator[Flask]:
    """An app over an empty, migrated SQLite database, without the gateway."""
    shutil.copy(migrated, tmp_path / "broadsheet.db")
    yield from open_app(tmp_path)


@pytest.fixture
def postgres_app(tmp_path: Path, postgres_url: str) -> Iterator[Flask]:
    """An app over an empty, migrated PostgreSQL database, without the gateway."""
    yield from open_app(tmp_path, DATABASE_URL=database_url(postgres_url))


@pytest.fixture(
    params=["app", pytest.param("postgres_app", marks=pytest.mark.live)],
    ids=["sqlite", "postgresql"],
)
def any_app(request: pytest.FixtureRequest) -> Flask:
    """An app over each of the two databases in turn."""
    app: Flask = request.getfixturevalue(request.param)
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of `app`."""
    return app.test_client()
