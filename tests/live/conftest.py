"""What live tests share: a database with the sample publication, and one running site a module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.publishing.sampling import load_samples
from tests.conftest import opened

from .site import Site, made


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database that holds the sample publication, to copy from."""
    folder = tmp_path_factory.mktemp("sampled")
    shutil.copy(migrated, folder / "broadsheet.db")
    for _ in opened(folder, EDGE_GATEWAY=True):
        assert load_samples(now=datetime.now(UTC))
    return folder / "broadsheet.db"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sampled: Path) -> Iterator[Site]:
    """The site with the sample publication, on two workers."""
    with made(sampled, tmp_path_factory.mktemp("site")) as started:
        yield started
