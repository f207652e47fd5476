from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.lmdb_store import LmdbStore
from tests.edge.gateway.store_contract import StoreContract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


class TestLmdbStore(StoreContract):
    """The LMDB store keeps the contract of every store."""

    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[LmdbStore]:
        """Give a store with room enough."""
        store = LmdbStore(tmp_path / "store")
        yield store
        store.close()

    @pytest.fixture
    def small(self, tmp_path: Path) -> Callable[[], LmdbStore]:
        """Make a store with room for a few pages."""
        return lambda: LmdbStore(tmp_path / "small", max_bytes=1_000_000, max_entry=100_000)
