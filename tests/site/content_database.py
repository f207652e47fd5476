"""A site with something on every page: written once, copied for each test that wants it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from tests.conftest import once, open_app
from tests.site.conftest import fill


@pytest.fixture(scope="session")
def content_file(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database that holds something for every kind of page, to copy from."""

    def make(folder: Path) -> None:
        shutil.copy(migrated, folder / "broadsheet.db")
        for _ in open_app(folder):
            fill()

    return once(tmp_path_factory, "written", make) / "broadsheet.db"


@pytest.fixture
def filled(tmp_path: Path, content_file: Path) -> Iterator[Flask]:
    """An app with something on every page, of the test's own."""
    shutil.copy(content_file, tmp_path / "broadsheet.db")
    yield from open_app(tmp_path)


@pytest.fixture(scope="module")
def site_app(tmp_path_factory: pytest.TempPathFactory, content_file: Path) -> Iterator[Flask]:
    """The same for all tests of a module, which only read."""
    folder = tmp_path_factory.mktemp("shown")
    shutil.copy(content_file, folder / "broadsheet.db")
    yield from open_app(folder)
