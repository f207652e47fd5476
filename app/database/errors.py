"""Database errors that the operator can fix, as one sentence instead of a traceback."""

from __future__ import annotations

import re
from typing import Any

import click
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree


class _SilentError(OperationalError):
    """Skips SQLAlchemy's constructor, whose arguments differ from Click's."""

    def __init__(self, _message: str) -> None:
        pass


class UnusableDatabaseError(click.ClickException, _SilentError):
    """The database can't be used; the message says why, and what to do.

    A `flask` command ends with the message; everything else can catch an OperationalError.
    """

    def __init__(self, message: str, error: DBAPIError, *, away: bool = False) -> None:
        click.ClickException.__init__(self, message)
        OperationalError.__init__(
            self,
            error.statement,
            error.params,
            error.orig or error,
            connection_invalidated=away or error.connection_invalidated,
        )


def is_away(error: BaseException | None) -> bool:
    """Tell whether the connection to the database failed or was lost; it may return."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated
    return isinstance(error, NoneFree)


_SENTENCES = (
    (
        r"no such table: (?:main\.)?(\S+)|relation \"(\S+)\" does not exist",
        "The database has no table {}: run `flask db upgrade`.",
    ),
    (
        r"unable to open database file",
        "The database file can't be opened: look at DATABASE_URL and its folder's permissions.",
    ),
    (
        r"attempt to write a readonly database",
        "The database file is read-only: make it and its folder writable.",
    ),
    (
        r"database is locked",
        "The database is busy: another process has been writing for too long; try again.",
    ),
    (
        r"file is not a database",
        "The file that DATABASE_URL names is not a SQLite database.",
    ),
    (
        r"disk is full|No space left on device",
        "The disk is full: the database can't write.",
    ),
)


def listen(engine: Engine) -> None:
    """Translate the errors of this engine."""
    event.listen(engine, "handle_error", _translate)


def translate_driver_error(
    error: Exception, statement: str, connection: Connection
) -> BaseException:
    """Return what SQLAlchemy would raise for an error of the driver that bypassed it."""
    dialect = connection.dialect
    translated = DBAPIError.instance(
        statement, None, error, dialect.loaded_dbapi.Error, dialect=dialect
    )
    if isinstance(translated, DBAPIError) and (sentence := _message_for(str(error))):
        return UnusableDatabaseError(sentence, translated)
    return translated


def _translate(context: ExceptionContext) -> BaseException | None:
    error = context.sqlalchemy_exception
    if context.is_pre_ping or not isinstance(error, DBAPIError):
        return None
    sentence = _message_for(str(error.orig))
    if sentence is None and context.connection is None and isinstance(error, OperationalError):
        url = context.engine.url if context.engine else None
        sentence = f"The database{_place(url)} can't be reached: {_reason(error)}."
        sentence += " Start it, or mend DATABASE_URL."
    away = context.connection is None or context.is_disconnect
    return UnusableDatabaseError(sentence, error, away=away) if sentence else None


def _message_for(message: str) -> str | None:
    for pattern, sentence in _SENTENCES:
        if match := re.search(pattern, message):
            return sentence.format(next((group for group in match.groups() if group), ""))
    return None


def _place(url: URL | None) -> str:
    return f" {url.render_as_string(hide_password=True)}" if url else ""


def _reason(error: Any) -> str:
    """Return the first line of the driver's message."""
    lines = str(error.orig).strip().splitlines()
    return lines[0].rstrip(".") if lines else "no answer"
