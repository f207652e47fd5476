"""What tests of publishing may ask for: an instant, a post, a dump of the whole database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.models import Post

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)

Dump = dict[str, list[tuple[Any, ...]]]


@pytest.fixture
def now() -> datetime:
    """An instant to do things at."""
    return NOW


@pytest.fixture
def article(any_app: Flask) -> Post:
    """A draft of an article."""
    draft = actions.Draft(title="First light", body_markdown="The *first* text.")
    return actions.create(draft, now=NOW)


@pytest.fixture
def dump(any_app: Flask) -> Callable[[], Dump]:
    """Call it for every row of every table, the search index included."""
    return dump_database


def dump_database() -> Dump:
    """Every row of every table of the current app's database."""
    with db.engine.connect() as connection:
        tables = sa.MetaData()
        tables.reflect(connection)
        return {
            table.name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for table in tables.sorted_tables
        }
