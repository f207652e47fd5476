"""What tests of publishing may ask for: an instant, a post, a dump of the whole database."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app import create_app
from app.extensions import db
from app.publishing import actions
from app.publishing.models import Post
from app.publishing.permissions import SYSTEM

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

Dump = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def now() -> datetime:
    """An instant to do things at."""
    return NOW


@pytest.fixture
def article(app: Flask) -> Post:
    """A draft of an article."""
    draft = actions.Draft(title="First light", body_markdown="The *first* text.")
    return actions.create(draft, now=NOW, actor=SYSTEM)


@pytest.fixture
def dump(app: Flask) -> Callable[[], Dump]:
    """Call it for every row of every table, the search index included."""
    return dump_database


@pytest.fixture
def empty_app(tmp_path: Path, migrated: Path) -> Callable[[], Flask]:
    """Call it for an app over another empty database."""

    def make() -> Flask:
        folder = tmp_path / "another"
        folder.mkdir()
        shutil.copy(migrated, folder / "broadsheet.db")
        return create_app({"INSTANCE": str(folder), "SECRET_KEY": "test", "EDGE_GATEWAY": False})

    return make


def dump_database() -> Dump:
    """Every row of every table of the current app's database; the edge's own books aside."""
    with db.engine.connect() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in tables.sorted_tables
            if not table.name.startswith("edge_")
        }
