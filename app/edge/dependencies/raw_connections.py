"""Detect reads on the driver's connection or cursors, which SQLAlchemy events do not report.

SQLAlchemy uses the same cursors, so the module that called the method decides. A pool connection
that no `Connection` object uses was requested by `raw_connection()`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.pool import Pool

from .fence import fenced
from .recorder import current_record
from .sqlalchemy_private import pool_entry

_LIBRARIES = ("sqlalchemy.", f"{__name__.rpartition('.')[0]}.")
_DIRECT = ("cursor", "execute", "executemany", "executescript")
_CURSOR = "it used a cursor of the database driver, whose reads can't be recorded"
_RAW = "it used engine.raw_connection(), whose reads can't be recorded"


def watch_driver() -> None:
    """Listen to every direct use of a driver's connection; further calls do nothing."""
    if not event.contains(Pool, "checkout", _on_checkout):
        event.listen(Pool, "checkout", _on_checkout)
        event.listen(Engine, "engine_connect", _on_engine_connect)


def _on_checkout(_dbapi: Any, entry: Any, proxy: Any) -> None:
    record = current_record()
    if record is None:
        return
    with fenced("as a connection was taken"):
        record.raw_connections[id(entry)] = _RAW
        record.record_place(_RAW)
        for name in _DIRECT:
            method = getattr(proxy, name, None)
            if method is not None:
                setattr(proxy, name, _record_direct_use(method))


def _on_engine_connect(connection: Connection) -> None:
    record = current_record()
    if record is not None and record.raw_connections:
        with fenced("as a connection was taken"):
            proxy: Any = connection.connection
            record.raw_connections.pop(id(pool_entry(proxy)), None)
            if record.places is not None and not record.raw_connections:
                record.places.remove(_RAW)


def _record_direct_use(method: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a method of a driver's connection so that calls from outside SQLAlchemy are recorded."""

    def call(*args: Any, **options: Any) -> Any:
        record = current_record()
        if record is not None:
            name = str(sys._getframe(1).f_globals.get("__name__", ""))  # noqa: SLF001 - the calling module is needed
            if not name.startswith(_LIBRARIES):
                record.read_unseen(_CURSOR)
        return method(*args, **options)

    return call
