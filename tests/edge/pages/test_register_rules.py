"""The rules of a registration that join two conditions: positions, ranges, times and builds."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position
from app.edge.changes.encoding import sort_key_value
from app.edge.changes.metadata import get_meta, set_meta
from app.edge.dependencies import Dependency, Interval, Part, Range, RenderRecord, Row, Table
from app.edge.pages import IndexedPage, RegistrationResult
from app.edge.pages.page import sorted_urls
from app.edge.pages.register import (
    BUILD_KEY,
    MAX_CHANGES,
    MAX_EXTRA_LIFETIME,
    STARTED,
    begin_build,
    current_build,
    register,
)
from app.edge.pages.resolve import resolve
from app.edge.pages.tables import dependency, page

from ..dependencies.conftest import author, post
from .conftest import NOW

SLUG = frozenset({"slug"})
OF_A = Range(table="post", equalities=(("slug", "a"),), referenced_columns=SLUG)
PAGE = IndexedPage(
    url="/p",
    site="https://example.org",
    tag="t",
    etag='"e"',
    policy="P",
    registered_at=NOW,
    expires_at=NOW + timedelta(hours=16),
    lifetime=timedelta(hours=8),
)


def register_with(
    connection: Connection,
    dependencies: Collection[Dependency] = (OF_A,),
    positions: Iterable[str] | None = None,
    response: IndexedPage = PAGE,
) -> RegistrationResult:
    """Register the page; without positions its reads begin now."""
    at = [current_log_position(connection)] if positions is None else positions
    return register(connection, response, dependencies, at)


@pytest.mark.parametrize("order", [1, -1])
def test_the_log_position_of_every_connection_is_compared(engine: Engine, order: int) -> None:
    """A change before the reads of one connection may lie after those of another."""
    with engine.begin() as connection:
        before = current_log_position(connection)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        after = current_log_position(connection)
        verdict = register_with(connection, positions=(before, after)[::order])
        assert verdict is RegistrationResult.DEPENDENCY_CHANGED
        assert register_with(connection, positions=(after, after)) is RegistrationResult.REGISTERED


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_change_since_the_position_is_compared(engine: Engine, place: int) -> None:
    """The change that matters may be the first, the last or one in between."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        for number in range(3):
            slug = "a" if number == place else f"b{number}"
            connection.execute(sa.insert(post).values(id=number, slug=slug))
        assert register_with(connection, positions=[at]) is RegistrationResult.DEPENDENCY_CHANGED


@pytest.mark.parametrize(
    ("count", "outcome"),
    [
        (MAX_CHANGES, RegistrationResult.REGISTERED),
        (MAX_CHANGES + 1, RegistrationResult.TOO_MANY_CHANGES),
    ],
)
def test_the_limit_of_compared_changes_is_exact(
    engine: Engine, count: int, outcome: RegistrationResult
) -> None:
    """As many unrelated changes as the limit allow the registration; one more does not."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        connection.execute(sa.insert(post), [{"id": n, "slug": f"b{n}"} for n in range(count)])
        assert register_with(connection, positions=[at]) is outcome


def test_a_position_of_another_database_is_refused(engine: Engine) -> None:
    """A position that is ahead of the log was read before a backup was restored."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="b"))
        ahead = str(int(current_log_position(connection)) + 1)
        assert register_with(connection, positions=[ahead]) is RegistrationResult.TOO_MANY_CHANGES


PART = Part(kind="template", name="a.html", digest="1")


@pytest.mark.parametrize(
    ("dependencies", "outcome"),
    [
        ((PART,), RegistrationResult.REGISTERED),
        ((), RegistrationResult.REGISTERED),
        ((OF_A,), RegistrationResult.NO_LOG_POSITION),
        ((PART, OF_A), RegistrationResult.NO_LOG_POSITION),
    ],
)
def test_only_a_page_of_parts_alone_needs_no_log_position(
    engine: Engine, dependencies: tuple[Dependency, ...], outcome: RegistrationResult
) -> None:
    """A page with one row needs a position, also beside templates."""
    with engine.begin() as connection:
        assert register_with(connection, dependencies, ()) is outcome


def of_key(low: int | None, high: int | None) -> Range:
    """Return a range of instants, in days since 1970."""
    day = 86_400_000_000
    low_key, high_key = (None if one is None else one * day for one in (low, high))
    interval = Interval(column="published_at", low=low_key, high=high_key)
    return Range(table="post", referenced_columns=frozenset({"published_at"}), interval=interval)


WIDER = {
    "open below": (of_key(None, 100), of_key(None, 200)),
    "one lower bound": (of_key(20_000, 20_010), of_key(20_000, 20_011)),
    "open above": (of_key(150, 160), of_key(150, None)),
}


@pytest.mark.parametrize("ranges", WIDER.values(), ids=WIDER)
@pytest.mark.parametrize("order", [1, -1])
def test_the_wider_of_two_ranges_is_found(
    engine: Engine, ranges: tuple[Range, Range], order: int
) -> None:
    """Two statements of a page may differ only in the upper bound of an instant."""
    narrow, wide = (one.interval for one in ranges)
    assert narrow is not None
    assert wide is not None
    top = (narrow.high or 0) + 86_400_000_000 if wide.high is None else wide.high
    late = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=top)
    with engine.begin() as connection:
        register_with(connection, ranges[::order])
        register_with(connection, ranges)
        connection.execute(sa.insert(post).values(id=1, published_at=late.replace(tzinfo=None)))
        assert sorted_urls(resolve(connection).pages) == ("/p",)


def test_a_narrower_range_replaces_a_wider_one(engine: Engine) -> None:
    """After a second copy with a narrower range, later rows no longer purge the page."""
    with engine.begin() as connection:
        for one in (of_key(20_000, 20_020), of_key(20_000, 20_010)):
            register_with(connection, [one])
        highs = connection.scalars(sa.select(dependency.c.high)).all()
    assert len(highs) == 1


def test_an_unchanged_interval_is_not_written_again(engine: Engine) -> None:
    """A second copy writes only the entries that are new."""
    remaining = of_key(20_000, 20_020)
    statements: list[tuple[str, int]] = []
    with engine.begin() as connection:
        register_with(connection, [remaining])
        driver: Any = connection.connection.driver_connection
        before = driver.total_changes
        register_with(connection, [remaining, OF_A])
        statements.append(("changes", driver.total_changes - before))
        rows = connection.execute(sa.select(dependency.c.high)).all()
    assert len(rows) == 2
    # The page, one entry and the shape of the new entry.
    assert statements == [("changes", 3)]


@pytest.mark.parametrize(
    ("span", "extra"),
    [
        (timedelta(hours=8), timedelta(hours=1)),
        (timedelta(hours=48), MAX_EXTRA_LIFETIME),
        (timedelta(days=365), MAX_EXTRA_LIFETIME),
        (timedelta(0), timedelta(0)),
    ],
)
def test_a_row_outlives_its_page_by_an_eighth_of_its_lifetime(
    engine: Engine, span: timedelta, extra: timedelta
) -> None:
    """But by at most six hours."""
    with engine.begin() as connection:
        register_with(connection, response=replace(PAGE, expires_at=NOW + span))
        until = connection.scalar(sa.select(page.c.expires_at))
    assert until == sort_key_value(NOW + span + extra)


OTHER_COPIES: dict[str, tuple[dict[str, Any], str]] = {
    "another ETag": ({"etag": '"f"'}, "etag"),
    "another tag": ({"tag": "u"}, "tag"),
    "another site": ({"site": "https://example.com"}, "site"),
    "another policy": ({"policy": "Q"}, "policy"),
    "an open-ended URL": ({"is_open_ended": True}, "aside"),
    "a longer lifetime": ({"lifetime": timedelta(hours=9)}, "lifetime"),
    "a later end": ({"expires_at": NOW + timedelta(hours=19)}, "expires_at"),
}


@pytest.mark.parametrize(("fields", "column"), OTHER_COPIES.values(), ids=OTHER_COPIES)
def test_a_copy_that_differs_in_one_field_is_written(
    engine: Engine, fields: dict[str, Any], column: str
) -> None:
    """Each field of the row is compared before the write is skipped."""
    with engine.begin() as connection:
        register_with(connection)
        before = connection.execute(sa.select(page)).one()._mapping[column]
        register_with(connection, response=replace(PAGE, **fields))
        assert connection.execute(sa.select(page)).one()._mapping[column] != before


def test_a_copy_of_a_clock_that_is_behind_shortens_nothing(engine: Engine) -> None:
    """The row keeps the latest end and the longest lifetime of all copies."""
    behind = replace(
        PAGE,
        registered_at=NOW - timedelta(days=1),
        expires_at=NOW - timedelta(hours=8),
        lifetime=timedelta(minutes=1),
        etag='"f"',
    )
    with engine.begin() as connection:
        register_with(connection)
        register_with(connection, response=behind)
        row = connection.execute(sa.select(page)).one()
    assert row.expires_at == sort_key_value(PAGE.expires_at + timedelta(hours=2))
    assert row.lifetime == PAGE.lifetime // timedelta(microseconds=1)


def test_a_purged_page_is_marked_as_registered_again(engine: Engine) -> None:
    """An identical copy after a purge is written, and counts as one purge too many."""
    with engine.begin() as connection:
        register_with(connection)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        resolve(connection)
        assert connection.scalar(sa.select(page.c.purged))
        register_with(connection)
        row = connection.execute(sa.select(page)).one()
    assert (row.purged, row.renewed, row.unchanged) == (False, 1, 1)


EMPTIED = {
    "no row at all": ((PART, OF_A), (PART,), RegistrationResult.EMPTIED),
    "fewer rows": ((OF_A, Table(table="author")), (OF_A,), RegistrationResult.REGISTERED),
    "other templates": (
        (PART, OF_A),
        (replace(PART, digest="2"),),
        RegistrationResult.REGISTERED,
    ),
    "never a row": ((PART,), (), RegistrationResult.REGISTERED),
}


@pytest.mark.parametrize(("before", "now", "outcome"), EMPTIED.values(), ids=EMPTIED)
def test_a_page_whose_rows_a_cache_of_the_application_holds_is_refused(
    engine: Engine,
    before: tuple[Dependency, ...],
    now: tuple[Dependency, ...],
    outcome: RegistrationResult,
) -> None:
    """The same templates without a single row mean that the data comes from elsewhere."""
    with engine.begin() as connection:
        assert register_with(connection, before) is RegistrationResult.REGISTERED
        assert register_with(connection, now) is outcome


@dataclass(frozen=True)
class Builds:
    """The builds in the metadata: the released one and the one that started last."""

    released: str | None = None
    started: str | None = None


STARTS = {
    "the first process": (Builds(), False, Builds(started="2")),
    "another build": (Builds(started="1"), True, Builds(started="2")),
    "the same build": (Builds(started="2"), False, Builds(started="2")),
    "after a release of another build": (Builds("1"), False, Builds("1")),
    "after a release of this build": (Builds("2", "1"), False, Builds("2", "1")),
}


@pytest.mark.parametrize(("before", "purges", "after"), STARTS.values(), ids=STARTS)
def test_a_starting_process_changes_the_build_only_before_the_first_release(
    engine: Engine, before: Builds, after: Builds, *, purges: bool
) -> None:
    """It purges everything if pages of another build may be stored."""
    with engine.begin() as connection:
        for name, value in ((BUILD_KEY, before.released), (STARTED, before.started)):
            if value is not None:
                set_meta(connection, name, value)
        assert begin_build(connection, "2") is purges
        stored = Builds(get_meta(connection, BUILD_KEY), get_meta(connection, STARTED))
        assert stored == after
        assert current_build(connection) == (after.released or after.started)


def test_a_record_and_its_dependencies_give_the_same_entries(engine: Engine) -> None:
    """A page can be registered from a record or from a collection."""
    rows: set[Dependency] = {OF_A, Row(table="post", key=(("id", "1"),), columns=SLUG)}
    with engine.begin() as connection:
        at = [current_log_position(connection)]
        register(connection, PAGE, rows, at)
        before = connection.execute(sa.select(dependency)).all()
        register(connection, PAGE, RenderRecord(single_dependencies=rows), at)
        assert connection.execute(sa.select(dependency)).all() == before
        connection.execute(sa.insert(author).values(id=1))
        assert resolve(connection).pages == ()
