"""Databases with the sample publication: written once, copied for each site that a test starts."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.config.parsers import database_url
from app.publishing.sample_content import load_samples
from tests.conftest import once, open_app

from .postgres import Postgres


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database that holds the sample publication, to copy from."""

    def make(folder: Path) -> None:
        shutil.copy(migrated, folder / "broadsheet.db")
        for _ in open_app(folder, EDGE_GATEWAY=True):
            assert load_samples(now=datetime.now(UTC))

    return once(tmp_path_factory, "sampled", make) / "broadsheet.db"


@pytest.fixture(scope="session")
def sampled_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, migrated_postgres: str
) -> str:
    """The name of a database on PostgreSQL that holds the same, to copy from."""
    url = postgres.create(template=migrated_postgres)
    folder = tmp_path_factory.mktemp("sampled-postgres")
    for _ in open_app(folder, DATABASE_URL=database_url(url)):  # no gateway that others wait for
        assert load_samples(now=datetime.now(UTC))
    return url.rpartition("/")[2]
