"""A save as one transaction: refused after a purge, given room, or undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import lmdb

from ..base import Saved
from .transaction import Shelf

if TYPE_CHECKING:
    from collections.abc import Callable

    from .environment import Environment


class NotKeptError(Exception):
    """Leaves a write transaction without a change."""

    def __init__(self, saved: Saved) -> None:
        super().__init__(saved.value)
        self.saved = saved


def changed(
    environment: Environment,
    key: bytes,
    change: Callable[[Shelf], Saved],
    *,
    token: int,
    size: int,
) -> Saved:
    """Make room and carry out a change, all of it or, with NotKeptError, nothing."""
    with environment.writing() as transaction:
        shelf = Shelf(environment, transaction)
        if shelf.forbids(key, token):
            raise NotKeptError(Saved.PURGED_MEANWHILE)
        if not shelf.make_room(size):
            raise NotKeptError(Saved.FULL)
        saved = change(shelf)
        if saved is not Saved.SAVED:
            raise NotKeptError(saved)
        shelf.settle()
    return saved


def defragmented(environment: Environment, *, share: float) -> bool:
    """Let a share of the store leave, so that there are long runs of free pages."""
    environment.release_readers()
    try:
        with environment.writing() as transaction:
            shelf = Shelf(environment, transaction)
            shelf.make_room(int(environment.limit * share))
            shelf.settle()
        # LMDB gives freed pages out again from the second transaction after this one.
        with environment.writing() as transaction:
            Shelf(environment, transaction).settle()
    except lmdb.MapFullError:
        return False
    return True
