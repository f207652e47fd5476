from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.store.memory import MemoryStore
from tests.edge.gateway.store_contract import StoreContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class TestMemoryStore(StoreContract):
    """The memory store follows the contract of every store."""

    @pytest.fixture
    def store(self) -> Iterator[MemoryStore]:
        """Give a store with room enough."""
        store = MemoryStore()
        yield store
        store.close()

    @pytest.fixture
    def small(self) -> Callable[[], MemoryStore]:
        """Make a store with room for a few pages."""
        return lambda: MemoryStore(max_bytes=1_000_000, max_entry=100_000)
