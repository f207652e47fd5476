"""What live tests share: a database with the sample publication, and one running site a module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.config.parsers import database_url
from app.publishing.sample_content import load_samples
from tests.conftest import once, open_app

from .live_site import Site, start_site
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


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sampled: Path) -> Iterator[Site]:
    """The site with the sample publication, on two workers."""
    with start_site(sampled, tmp_path_factory.mktemp("site")) as started:
        yield started
