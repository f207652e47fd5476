"""A PostgreSQL server of the tests' own: `postgres`, and a fresh database per test."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest

from app import create_app
from app.config.parsers import database_url
from app.extensions import alembic, db

from .programs import free_port, needs, running
from .run_folder import RUN

CLUSTER = ("-U", "postgres", "-A", "trust", "-E", "UTF8", "-N", "--locale=C")
FAST = (
    "fsync=off",
    "synchronous_commit=off",
    "full_page_writes=off",
    "autovacuum=off",
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
    "max_connections=60",
    "shared_buffers=32MB",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Postgres:
    """A server that trusts whoever reaches its loopback port."""

    port: int
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, name: str) -> str:
        """The address of one of its databases, as DATABASE_URL takes it."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{name}"

    def create(self, *, template: str = "template0") -> str:
        """Make a database and give its address."""
        name = f"test_{os.getpid()}_{next(self.numbers)}"
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" ENCODING \'UTF8\'')
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected."""
        name = url.rpartition("/")[2]
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def execute(self, statement: str) -> None:
        """Run one statement on the server's own database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL server in a temporary folder, without the care that a disk would need."""
    places = sorted(map(str, Path("/usr/lib/postgresql").glob("*/bin")), reverse=True)
    places += sorted(map(str, Path("/opt/homebrew/opt").glob("postgresql*/bin")), reverse=True)
    initdb = needs("initdb", package="postgresql", places=places)
    folder = Path(tempfile.mkdtemp(prefix="postgres-", dir=RUN.path))
    try:
        become = _somebody(folder)
        port = free_port()
        data = folder / "data"
        process = subprocess.run(
            [*become, initdb, "-D", data, *CLUSTER],
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == 0, process.stderr
        server = [*become, str(Path(initdb).with_name("postgres")), "-D", str(data)]
        options = [part for one in (*FAST, f"port={port}") for part in ("-c", one)]
        with running(
            [*server, *options],
            port=port,
            log=folder / "log",
            ready=lambda: _accepts(port),
            stop=signal.SIGQUIT,
        ):
            yield Postgres(port=port)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _somebody(folder: Path) -> list[str]:
    """How to start a program as somebody other than root: PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    setpriv = needs("setpriv", package="util-linux")
    return [setpriv, "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]


def _accepts(port: int) -> bool:
    try:
        psycopg.connect(
            f"postgresql://postgres@127.0.0.1:{port}/postgres", connect_timeout=2
        ).close()
    except psycopg.OperationalError:
        return False
    return True


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of an empty, migrated database to copy from."""
    url = postgres.create()
    folder = tmp_path_factory.mktemp("migrated-postgres")
    app = create_app(
        {
            "DATABASE_URL": database_url(url),
            "INSTANCE": str(folder),
            "SECRET_KEY": "test",
            "EDGE_GATEWAY": False,
        },
    )
    with app.app_context():
        alembic.upgrade()
    with app.app_context():  # the first context's end closes the connection of the migrations
        db.engine.dispose()
    return url.rpartition("/")[2]


@pytest.fixture
def empty_postgres_url(postgres: Postgres) -> Iterator[str]:
    """The address of a database in which nothing is."""
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture
def postgres_url(postgres: Postgres, migrated_postgres: str) -> Iterator[str]:
    """The address of an empty, migrated database."""
    url = postgres.create(template=migrated_postgres)
    yield url
    postgres.drop(url)
