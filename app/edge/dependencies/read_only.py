"""Refuse statements that write, while a page is rendered only to look at it.

Writes through a driver's own cursor, and in threads that do not copy the context, are not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from .engine_events import StatementKind, classify_statement

if TYPE_CHECKING:
    from .read_places import ReadPlaces

_refusing: ContextVar[ReadPlaces | None] = ContextVar("edge_refusing", default=None)


class WriteRefusedError(Exception):
    """A statement that may write was refused."""


@contextmanager
def refuse_writes(places: ReadPlaces) -> Iterator[None]:
    """Refuse statements of SQLAlchemy that may write, and record their place as `write`."""
    if not event.contains(Engine, "before_cursor_execute", _refuse):
        event.listen(Engine, "before_cursor_execute", _refuse)
    token = _refusing.set(places)
    try:
        yield
    finally:
        _refusing.reset(token)


def _refuse(
    _connection: Any,
    _cursor: Any,
    statement: str,
    _parameters: Any,
    context: Any,
    _many: bool,  # noqa: FBT001 - SQLAlchemy calls it so
) -> None:
    places = _refusing.get()
    if places is None or context.execution_options.get("edge_internal"):
        return
    if classify_statement(statement, context) is StatementKind.WRITE:
        places.add("write")
        raise WriteRefusedError(f"this visit must not write: {statement[:80]!r}")
