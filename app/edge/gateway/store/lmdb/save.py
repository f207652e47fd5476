"""Run a save as one transaction: check the token, make room, and roll back on failure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lmdb

from ..base import SaveResult
from .transaction import WriteTransaction

if TYPE_CHECKING:
    from collections.abc import Callable

    from .environment import Environment


class SaveRefusedError(Exception):
    """Rolls a write transaction back."""

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
    """Make room and apply a change in one transaction; roll back with SaveRefusedError."""
    with environment.write_transaction() as transaction:
        write_transaction = WriteTransaction(environment, transaction)
        if write_transaction.rejects_token(key, token):
            raise SaveRefusedError(SaveResult.PURGED_SINCE_FETCH)
        if not write_transaction.make_room(size):
            raise SaveRefusedError(SaveResult.FULL)
        saved = change(write_transaction)
        if saved is not SaveResult.SAVED:
            raise SaveRefusedError(saved)
        write_transaction.write_counters()
    return saved


def free_contiguous_pages(environment: Environment, *, share: float) -> bool:
    """Evict a share of the store to get long runs of free pages."""
    environment.release_readers()
    try:
        with environment.write_transaction() as transaction:
            write_transaction = WriteTransaction(environment, transaction)
            write_transaction.make_room(int(environment.limit * share))
            write_transaction.write_counters()
        # LMDB reuses freed pages from the second transaction after this one.
        with environment.write_transaction() as transaction:
            WriteTransaction(environment, transaction).write_counters()
    except lmdb.MapFullError:
        return False
    return True
