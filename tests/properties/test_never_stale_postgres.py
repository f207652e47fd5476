"""The promise that no page is old, over PostgreSQL: `STEPS=1000` tries harder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from app.config.readers import database_url
from tests.live.postgres import Postgres

from .test_never_stale import prove

STEPS = int(os.environ.get("STEPS", "45"))


@pytest.fixture
def databases(postgres: Postgres, migrated_postgres: str) -> Iterator[Iterator[str]]:
    """As many databases as anybody asks for, each empty and migrated."""
    with ExitStack() as stack:

        def made() -> Iterator[str]:
            while True:
                url = postgres.create(template=migrated_postgres)
                stack.callback(postgres.drop, url)
                yield database_url(url)

        yield made()


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_no_page_is_stale_over_postgresql(databases: Iterator[str]) -> None:
    """After every write each page in the gateway equals its fresh render."""

    def database(_folder: Path) -> str:
        return next(databases)

    prove(database, steps=STEPS)
