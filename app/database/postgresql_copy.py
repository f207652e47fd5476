"""Copies of a PostgreSQL database, by its own programs: pg_dump, pg_restore and psql."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

from .copy_errors import BackupError, KnowsRevision, check_revisions

_MAGIC = b"PGDMP"
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND backend_type = 'client backend'
"""
_FUNCTIONS = """
    SELECT oid::regprocedure::text FROM pg_proc
    WHERE pronamespace = current_schema()::regnamespace
    AND (starts_with(proname, 'edge_') OR starts_with(proname, 'post_search'))
"""
"""The functions of triggers, which a backup of another release may not have."""


def save(url: URL, file: Path) -> None:
    """Dump one snapshot of a database; other processes may keep writing."""
    _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={file}", url=url)


def load(url: URL, file: Path, *, knows: KnowsRevision, tables: Sequence[str]) -> None:
    """Replace what the site has in a database by what a dump has, in one transaction."""
    with file.open("rb") as dump:
        if dump.read(len(_MAGIC)) != _MAGIC:
            raise BackupError(f"{file} is no dump of PostgreSQL: choose one of this database.")
    check_revisions(_revisions(file), file, knows)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "restore.sql")
        _run("pg_restore", "--clean", "--if-exists", "--no-owner", "--no-privileges",
             f"--file={script}", str(file))  # fmt: skip
        drops = Path(folder, "drop.sql")
        with _connect(url) as connection:
            _check_alone(connection)
            drops.write_text(_drops(connection, [*tables, "alembic_version", "post_search"]))
        _run("psql", "--no-psqlrc", "--quiet", "--single-transaction", "--output=/dev/null",
             "--set=ON_ERROR_STOP=1", f"--file={drops}", f"--file={script}", url=url)  # fmt: skip


def _connect(url: URL) -> psycopg.Connection:
    try:
        return psycopg.connect(_address(url), password=url.password, connect_timeout=5)
    except psycopg.OperationalError as error:
        reason = str(error).strip().partition("\n")[0]
        raise BackupError(f"The database can't be reached: {reason}.") from None


def _check_alone(connection: psycopg.Connection) -> None:
    row = connection.execute(_OTHERS).fetchone()
    if row is not None and row[0]:
        raise BackupError(
            f"{row[0]} other connections use the database: stop the site, its relay and every "
            "`flask` command, then restore again. Nothing was changed."
        )


def _drops(connection: psycopg.Connection, tables: Sequence[str]) -> str:
    """The statements that drop what the backup may not have; the dump drops the rest."""
    statements = [
        sql.SQL("DROP TABLE IF EXISTS {} CASCADE;").format(sql.Identifier(name)).as_string()
        for name in tables
    ]
    functions = connection.execute(_FUNCTIONS).fetchall()
    statements += [f"DROP FUNCTION IF EXISTS {row[0]} CASCADE;" for row in functions]
    return "\n".join(["SET client_min_messages = warning;", *statements, ""])


def _revisions(file: Path) -> list[str]:
    """The migrations that a dump is at, from the lines between COPY and its end."""
    output = _run("pg_restore", "--data-only", "--table=alembic_version", "--file=-", str(file))
    lines = iter(output.splitlines())
    for line in lines:
        if line.startswith("COPY ") and "alembic_version" in line:
            return list(iter(lambda: next(lines, "\\."), "\\."))
    return []


def _run(program: str, *arguments: str, url: URL | None = None) -> str:
    path = shutil.which(program)
    if path is None:
        raise BackupError(
            f"{program} is not installed: install PostgreSQL's client programs "
            "(Debian: apt-get install postgresql-client)."
        )
    command = [path, *arguments, *([] if url is None else [f"--dbname={_address(url)}"])]
    environment = dict(os.environ)
    if url is not None and url.password:
        environment["PGPASSWORD"] = str(url.password)
    finished = subprocess.run(  # noqa: S603 - a program of PostgreSQL, and no shell
        command, env=environment, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        lines = finished.stderr.strip().splitlines() or [f"exit {finished.returncode}"]
        raise BackupError(f"{program} failed, and nothing was changed: {lines[0]}")
    return finished.stdout


def _address(url: URL) -> str:
    """The address without its password, which every user of the machine could see."""
    plain = url.set(drivername="postgresql", password=None)
    return plain.render_as_string(hide_password=False)
