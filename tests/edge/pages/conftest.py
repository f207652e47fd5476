"""A watched schema with the page index on SQLite, and a helper that registers pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.engine import Connection, Engine

from app.edge.dependencies import Dependency
from app.edge.pages import IndexedPage, RegistrationResult, define_tables
from app.edge.pages.register import register

from ..dependencies.conftest import memory, metadata

define_tables(metadata)

NOW = datetime(2026, 5, 1, tzinfo=UTC)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """The schema with triggers and index, empty."""
    engine = memory()
    yield engine
    engine.dispose()


def register_page(
    connection: Connection,
    url: str,
    dependencies: Iterable[Dependency],
    *,
    mark: str,
    variant: str = "",
    build: str | None = None,
    now: datetime = NOW,
    lifetime: timedelta = timedelta(days=1),
) -> RegistrationResult:
    """Register a page rendered at `now` that caches may hold for two days."""
    page = IndexedPage(
        url=url,
        variant=variant,
        tag=f"t{abs(hash(url))}",
        etag='"e"',
        policy="test",
        registered_at=now,
        expires_at=now + timedelta(days=2),
        lifetime=lifetime,
    )
    return register(connection, page, set(dependencies), [mark], build)
