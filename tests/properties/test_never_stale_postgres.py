"""The promise that no page is old, over PostgreSQL: `STEPS=5000` tries harder."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.depth import POSTGRES_STEPS, SEED
from tests.live.postgres import Postgres

from .never_stale.caches import Gateway
from .never_stale.databases import PostgresDatabase
from .never_stale.random_walk import prove
from .never_stale.site_pair import Newsroom, short_lists
from .test_never_stale import print_tally


@pytest.mark.live
@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_no_page_is_stale_over_postgresql(
    tmp_path: Path, postgres: Postgres, migrated_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After every write each page in the gateway equals its fresh render."""
    short_lists(monkeypatch)
    database = PostgresDatabase(postgres, migrated_postgres)
    with closing(database), closing(Newsroom(tmp_path, database)) as newsroom:
        print_tally(prove(newsroom, Gateway(newsroom.site), count=POSTGRES_STEPS, seed=SEED))
