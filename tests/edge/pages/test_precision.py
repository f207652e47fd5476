"""Precision: how many purged pages had changed when they were rendered again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import current_log_position
from app.edge.dependencies import Table
from app.edge.pages import IndexedPage
from app.edge.pages.precision import Precision, set_purged, total_precision
from app.edge.pages.register import register
from app.edge.pages.tables import page

from .conftest import NOW

PAGE = IndexedPage(
    url="/",
    tag="t",
    etag='"1"',
    policy="P",
    registered_at=NOW,
    expires_at=NOW + timedelta(hours=1),
)
STEPS = {
    "purged, equal": ([True], ['"1"'], Precision(rendered_again=1, unchanged=1)),
    "purged, other": ([True], ['"2"'], Precision(rendered_again=1, unchanged=0)),
    "not purged, equal": ([False], ['"1"'], Precision()),
    "not purged, other": ([False], ['"2"'], Precision()),
    "twice": ([True, True], ['"1"', '"2"'], Precision(rendered_again=2, unchanged=1)),
    "purged once": ([True, False], ['"2"', '"2"'], Precision(rendered_again=1, unchanged=0)),
}


@pytest.mark.parametrize(("purges", "etags", "outcome"), STEPS.values(), ids=STEPS)
def test_only_a_purged_page_counts(
    engine: Engine, purges: list[bool], etags: list[str], outcome: Precision
) -> None:
    """A page that was rendered again without a purge says nothing about purges."""
    with engine.begin() as connection:
        at = [current_log_position(connection)]
        register(connection, PAGE, {Table(table="post")}, at)
        for is_purged, etag in zip(purges, etags, strict=True):
            if is_purged:
                set_purged(connection, list(connection.scalars(sa.select(page.c.id))))
            register(connection, replace(PAGE, etag=etag), {Table(table="post")}, at)
        assert total_precision(connection) == outcome


@pytest.mark.parametrize(("unchanged", "ratio"), [(0, 1), (1, 0.75), (4, 0)])
def test_the_ratio_is_the_share_of_needed_purges(unchanged: int, ratio: float) -> None:
    """Without any purge there is no ratio."""
    assert Precision(rendered_again=4, unchanged=unchanged).ratio == ratio
    assert Precision().ratio is None
