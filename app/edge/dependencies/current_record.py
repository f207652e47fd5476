"""Which render record the current response has, if any; imports nothing that a record needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .recorder import RenderRecord

current: ContextVar[RenderRecord | None] = ContextVar("edge_record")
open_records: dict[int, RenderRecord] = {}
"""The records that have begun and not ended, in all threads."""


def current_record() -> RenderRecord | None:
    """Return the record of the current response, or None."""
    return current.get(None)


@contextmanager
def isolated() -> Iterator[None]:
    """Run without a record; a record that begins inside ends with it."""
    token = current.set(None)
    try:
        yield
    finally:
        close_current()
        current.reset(token)


def end() -> None:
    """End the current record."""
    close_current()
    current.set(None)


def close_current() -> None:
    """Take the current record from the open ones."""
    open_records.pop(id(current_record()), None)
