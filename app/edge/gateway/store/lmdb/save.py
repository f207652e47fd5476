"""A save as one transaction: refused after a purge, given room, or undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lmdb

from ..base import SaveResult
from .transaction import WriteTransaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from .environment import Environment


class SaveRefusedError(Exception):
    """Leaves a write transaction without a change."""

    def __init__(self, saved: SaveResult) -> None:
        super().__init__(saved.value)
        self.saved = saved


def apply_change(
    environment: Environment,
    key: bytes,
    change: Callable[[WriteTransaction], SaveResult],
    *,
    token: int,
    size: int,
) -> SaveResult:
    """Make room and carry out a change, all of it or, with NotKeptError, nothing."""
    with environment.write_transaction() as transaction:
        shelf = WriteTransaction(environment, transaction)
        if shelf.rejects_token(key, token):
            raise SaveRefusedError(SaveResult.PURGED_SINCE_FETCH)
        if not shelf.make_room(size):
            raise SaveRefusedError(SaveResult.FULL)
        saved = change(shelf)
        if saved is not SaveResult.SAVED:
            raise SaveRefusedError(saved)
        shelf.write_counters()
    return saved


def free_contiguous_pages(environment: Environment, *, share: float) -> bool:
    """Let a share of the store leave, so that there are long runs of free pages."""
    environment.release_readers()
    try:
        with environment.write_transaction() as transaction:
            shelf = WriteTransaction(environment, transaction)
            shelf.make_room(int(environment.limit * share))
            shelf.write_counters()
        # LMDB gives freed pages out again from the second transaction after this one.
        with environment.write_transaction() as transaction:
            WriteTransaction(environment, transaction).write_counters()
    except lmdb.MapFullError:
        return False
    return True
