"""Short-lived pages at their limits: room, groups, times in both directions, words of the URL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position
from app.edge.changes.change import Change, Op
from app.edge.dependencies import Dependency, Interval, Range, RenderRecord, Row, Table
from app.edge.dependencies.dependency import SemiJoin
from app.edge.pages import IndexCapacity, IndexedPage, RegistrationResult
from app.edge.pages import short_lived as limits
from app.edge.pages.coarse_dependencies import entries_without_address
from app.edge.pages.index_entries import cached_entry
from app.edge.pages.page import FLEETING, LIFETIME, Short, ShortKind
from app.edge.pages.register import register
from app.edge.pages.resolve import find_affected_pages
from app.edge.pages.short_lived import (
    EXTRA_LIFETIME,
    GROUP_EXTRA_LIFETIME,
    RECOUNT,
    count_short,
    take_surplus,
)
from app.edge.pages.tables import dependency, page, short_page

from .conftest import NOW

SLUG = frozenset({"slug"})
PAGE = IndexedPage(
    url="/no",
    site="https://example.org",
    tag="p",
    etag="",
    policy="NOT_FOUND",
    registered_at=NOW,
    expires_at=NOW + timedelta(minutes=2),
    is_open_ended=True,
    short=Short(kind=ShortKind.ERROR),
    group_tag="p-short",
)
MICROSECOND = timedelta(microseconds=1)


def register_short(
    connection: Connection,
    url: str = "/no",
    reads: tuple[Dependency, ...] = (Table(table="post"),),
    capacity: IndexCapacity | None = None,
    **fields: Any,
) -> RegistrationResult:
    """Register a short-lived page."""
    at = [current_log_position(connection)]
    return register(connection, replace(PAGE, url=url, **fields), reads, at, None, capacity)


def later(span: timedelta) -> dict[str, Any]:
    """Return the times of a copy that is rendered later, or earlier if the span is negative."""
    return {"registered_at": NOW + span, "expires_at": PAGE.expires_at + span}


def count(connection: Connection, table: sa.Table = short_page) -> int:
    """Return the number of rows of a table."""
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


@pytest.mark.parametrize(
    ("span", "is_written"),
    [
        (timedelta(0), False),
        (EXTRA_LIFETIME, False),
        (EXTRA_LIFETIME + MICROSECOND, True),
        (-timedelta(hours=1), False),
    ],
)
def test_a_row_is_written_again_only_if_the_copy_outlives_it(
    engine: Engine, span: timedelta, *, is_written: bool
) -> None:
    """A copy of a clock that is behind never shortens the row."""
    with engine.begin() as connection:
        register_short(connection)
        before = connection.execute(sa.select(short_page)).one()
        register_short(connection, **later(span))
        after = connection.execute(sa.select(short_page)).one()
    assert (after != before) is is_written
    assert after.expires_at >= before.expires_at


TEN = IndexCapacity(max_pages=100)


@pytest.mark.parametrize("page_count", [0, 9, 10])
def test_a_kind_has_exactly_a_tenth_of_the_index(engine: Engine, page_count: int) -> None:
    """The last free row is used; then the kind is full."""
    with engine.begin() as connection:
        for number in range(page_count):
            register_short(connection, f"/{number}")
        verdicts = [
            register_short(connection, f"/new/{n}", capacity=TEN) for n in range(12 - page_count)
        ]
        assert verdicts.count(RegistrationResult.REGISTERED) == 10 - page_count
        assert count(connection) == 10


def test_a_page_that_is_registered_needs_no_room(engine: Engine) -> None:
    """A full kind still renews its pages."""
    with engine.begin() as connection:
        for number in range(10):
            assert register_short(connection, f"/{number}", capacity=TEN)
        assert register_short(connection, "/x", capacity=TEN) is RegistrationResult.INDEX_FULL
        verdict = register_short(connection, "/1", capacity=TEN, **later(timedelta(hours=1)))
        assert verdict is RegistrationResult.REGISTERED


@pytest.mark.parametrize("capacity", [TEN, IndexCapacity(max_pages=200)])
def test_a_raised_limit_counts_again(engine: Engine, capacity: IndexCapacity) -> None:
    """The count of a full kind holds for one second, unless the limit was changed."""
    with engine.begin() as connection:
        for number in range(10):
            register_short(connection, f"/{number}", capacity=TEN)
        assert register_short(connection, "/x", capacity=TEN) is RegistrationResult.INDEX_FULL
        is_registered = register_short(connection, "/x", capacity=capacity)
        assert (is_registered is RegistrationResult.REGISTERED) is (capacity is not TEN)


@pytest.mark.parametrize(
    ("span", "outcome"),
    [
        (RECOUNT - MICROSECOND, RegistrationResult.INDEX_FULL),
        (RECOUNT, RegistrationResult.REGISTERED),
        (-timedelta(hours=1), RegistrationResult.REGISTERED),
    ],
)
def test_a_full_kind_is_counted_again_after_a_second(
    engine: Engine, span: timedelta, outcome: RegistrationResult
) -> None:
    """Also if the system clock was set back in between."""
    with engine.begin() as connection:
        for number in range(10):
            register_short(connection, f"/{number}", capacity=TEN)
        assert register_short(connection, "/x", capacity=TEN) is RegistrationResult.INDEX_FULL
        connection.execute(sa.delete(short_page).where(short_page.c.url == "/1"))
        assert register_short(connection, "/x", capacity=TEN, **later(span)) is outcome


@pytest.mark.parametrize(
    ("span", "is_prolonged"),
    [(timedelta(0), False), (GROUP_EXTRA_LIFETIME, False), (timedelta(hours=3), True)],
)
def test_a_group_never_ends_before_its_pages(
    engine: Engine, span: timedelta, *, is_prolonged: bool
) -> None:
    """It is prolonged only when a page outlives it."""
    with engine.begin() as connection:
        register_short(connection)
        before = connection.scalar(sa.select(page.c.expires_at)) or 0
        register_short(connection, "/other", **later(span))
        after = connection.scalar(sa.select(page.c.expires_at)) or 0
        latest = connection.scalar(sa.select(sa.func.max(short_page.c.expires_at))) or 0
    assert (after > before) is is_prolonged
    assert after >= latest


def exact(number: int) -> tuple[Dependency, ...]:
    """Return a dependency whose value is not in the URL."""
    equal = (("status", f"value-{number}"),)
    return (Range(table="post", equalities=equal, referenced_columns=SLUG),)


def test_groups_are_exact_up_to_their_limit(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beyond it new pages share a coarse group; pages of a known group stay in it."""
    monkeypatch.setattr(limits, "MAX_EXACT_GROUPS", 2)
    with engine.begin() as connection:
        for number in range(4):
            register_short(connection, f"/{number}", exact(number))
        assert count(connection, page) == 3
        register_short(connection, "/again", exact(1))
        groups = dict(connection.execute(sa.select(short_page.c.url, short_page.c.group_id)).all())
    assert groups["/again"] == groups["/1"]
    assert groups["/2"] == groups["/3"] not in {groups["/0"], groups["/1"]}


def test_pages_of_two_sites_are_in_different_groups(engine: Engine) -> None:
    """A purge names the site of each page."""
    with engine.begin() as connection:
        for site in ("https://one.example", "https://two.example"):
            register_short(connection, f"/{site[8:11]}", site=site)
        change = Change(table="post", op=Op.INSERT, new={"id": 1})
        pages = find_affected_pages(connection, [change]).pages
    assert {(one.url, one.site) for one in pages} == {
        ("/one", "https://one.example"),
        ("/two", "https://two.example"),
    }


@pytest.mark.parametrize(("fleeting", "lifetime"), [(True, FLEETING), (False, LIFETIME)])
def test_a_fleeting_page_has_a_short_lifetime(
    engine: Engine, fleeting: bool, lifetime: timedelta
) -> None:
    """Any other page is purged at every tier, because its lifetime was not recorded."""
    with engine.begin() as connection:
        register_short(connection, short=Short(kind=ShortKind.ERROR, fleeting=fleeting))
        change = Change(table="post", op=Op.INSERT, new={"id": 1})
        (one,) = find_affected_pages(connection, [change]).pages
    assert one.lifetime == lifetime
    assert one.short == Short(kind=ShortKind.ERROR, fleeting=fleeting)


def test_a_group_stores_the_wider_of_two_ranges(engine: Engine) -> None:
    """Two ranges with the same lower bound take one row of the index."""
    ranges = tuple(
        Range(
            table="post",
            referenced_columns=frozenset({"published_at"}),
            interval=Interval(column="published_at", high=high),
        )
        for high in (-2000, -1000)
    )
    with engine.begin() as connection:
        register_short(connection, "/no", ranges)
        assert count(connection, dependency) == 1
        change = Change(table="post", op=Op.INSERT, new={"id": 1, "published_at": -1500})
        assert find_affected_pages(connection, [change]).pages


def test_the_surplus_of_each_kind_is_evicted_to_the_limit(engine: Engine) -> None:
    """A kind within its limit keeps all its pages, and at most the given number is evicted."""
    with engine.begin() as connection:
        for number in range(13):
            register_short(connection, f"/{number}", **later(timedelta(seconds=-number)))
        for number in range(10):
            register_short(connection, f"/q{number}", short=Short(kind=ShortKind.QUERY))
        assert len(take_surplus(connection, TEN, 2)) == 2
        assert [one.url for one in take_surplus(connection, TEN, 5)] == ["/10"]
        assert take_surplus(connection, TEN, 5) == ()
        for kind in (ShortKind.ERROR, ShortKind.QUERY):
            assert count_short(connection, kind, most=50) == 10


WORDS = {
    "a whole word": ("/posts/abc", "abc", True),
    "a short part of a word": ("/posts/xabcx", "abc", False),
    "a long part of a word": ("/posts/xabcdx", "abcd", True),
    "another letter case": ("/posts/ABC", "abc", True),
    "percent-encoded": ("/caf%C3%A9", "café", True),
    "a value that is not there": ("/posts/abc", "live", False),
    "the empty value": ("/posts", "", True),
    "a number": ("/posts/12", "12", True),
    "part of a number": ("/posts/123", "12", False),
}


@pytest.mark.parametrize(("url", "value", "is_left_out"), WORDS.values(), ids=WORDS)
def test_only_a_value_of_the_url_is_left_out(url: str, value: str, *, is_left_out: bool) -> None:
    """A value of at most three characters must be a whole word of the URL."""
    with_value = Range(table="post", equalities=(("status", value),), referenced_columns=SLUG)
    without = Range(table="post", referenced_columns=SLUG | {"status"})
    entries = entries_without_address(RenderRecord(single_dependencies={with_value}), url)
    assert set(entries) == {cached_entry(without if is_left_out else with_value)[0]}


@pytest.mark.parametrize(("url", "is_left_out"), [("/topics/news", True), ("/posts", False)])
def test_a_joined_row_that_the_url_names_is_left_out(url: str, *, is_left_out: bool) -> None:
    """Pages of unknown topics share one group."""
    via = SemiJoin(
        table="link", joined_column="post_id", own_column="id", equalities=(("topic", "news"),)
    )
    join = Range(table="post", referenced_columns=SLUG, semi_join=via)
    entries = entries_without_address(RenderRecord(single_dependencies={join}), url)
    outcome = replace(join, semi_join=None) if is_left_out else join
    assert set(entries) == {cached_entry(outcome)[0]}


def test_other_dependencies_are_kept_as_they_are() -> None:
    """Only ranges have values that may come from the URL."""
    rows: set[Dependency] = {
        Row(table="post", key=(("id", "abc"),), columns=SLUG),
        Table(table="author"),
    }
    entries = entries_without_address(RenderRecord(single_dependencies=set(rows)), "/abc")
    assert set(entries) == {cached_entry(one)[0] for one in rows}
