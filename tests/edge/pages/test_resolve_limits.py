"""Resolving at its limits: exactly as many changes or lookups as allowed, bounds, and chunks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position
from app.edge.changes.change import EVERYTHING_CHANGED, Change, Op
from app.edge.changes.log import append_change
from app.edge.dependencies import Interval, Range, Table
from app.edge.pages import IndexedPage
from app.edge.pages.page import AffectedPage, sorted_urls
from app.edge.pages.register import register
from app.edge.pages.resolve import find_affected_pages, manual_purge_change, resolve
from app.edge.pages.tables import page

from ..dependencies.conftest import post
from .conftest import NOW, register_page

LIMITS = import_module("app.edge.pages.resolve")  # the package exports a function of this name


def insert_posts(connection: Connection, count: int) -> None:
    """Insert posts with different slugs, each of which is one change."""
    if count:
        connection.execute(sa.insert(post), [{"id": n, "slug": f"s{n}"} for n in range(count)])


@pytest.mark.parametrize(("count", "everything"), [(3, False), (4, True), (0, False)])
def test_the_limit_of_changes_is_exact(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, count: int, *, everything: bool
) -> None:
    """As many changes as the limit are compared one by one; one more purges everything."""
    monkeypatch.setattr(LIMITS, "MAX_CHANGES", 3)
    with engine.begin() as connection:
        at = current_log_position(connection)
        register_page(connection, "/", [Table(table="post")], mark=at)
        insert_posts(connection, count)
        resolution = resolve(connection)
        assert bool(resolution.everything_reason) is everything
        assert resolution.change_count == count
        assert sorted_urls(resolution.pages) == (("/",) if count and not everything else ())


SLUGS = frozenset({"slug"})


@pytest.mark.parametrize(("count", "everything"), [(3, False), (4, True)])
def test_the_limit_of_lookups_is_exact(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, count: int, *, everything: bool
) -> None:
    """A lookup is one hash with one sort key."""
    monkeypatch.setattr(LIMITS, "MAX_LOOKUPS", 3)
    with engine.begin() as connection:
        at = current_log_position(connection)
        one = Range(table="post", equalities=(("slug", "s0"),), referenced_columns=SLUGS)
        register_page(connection, "/", [one], mark=at)
        insert_posts(connection, count)
        assert bool(resolve(connection).everything_reason) is everything


TIMES: dict[str, tuple[list[tuple[Op, int | None]], int | None]] = {
    "two writes": ([(Op.INSERT, 20), (Op.INSERT, 10)], 10),
    "everything before a write": ([(Op.EVERYTHING, 5), (Op.INSERT, 10)], 10),
    "everything alone": ([(Op.EVERYTHING, 5)], None),
    "a write without a time": ([(Op.INSERT, None), (Op.INSERT, 30)], 30),
    "no time": ([(Op.INSERT, None)], None),
}


@pytest.mark.parametrize(("entries", "outcome"), TIMES.values(), ids=TIMES)
def test_the_time_of_the_first_write_is_reported(
    engine: Engine, entries: list[tuple[Op, int | None]], outcome: int | None
) -> None:
    """An entry that purges everything was not written by a writer of content."""
    with engine.begin() as connection:
        for op, _ in entries:
            table = "*" if op is Op.EVERYTHING else "post"
            append_change(connection, Change(table=table, op=op, new={"id": 1}))
        ids = connection.exec_driver_sql("SELECT id FROM edge_change ORDER BY id").scalars().all()
        for number, (_, at) in zip(ids, entries, strict=True):
            micros = None if at is None else at * 1_000_000
            connection.exec_driver_sql(
                "UPDATE edge_change SET written_at = ? WHERE id = ?", (micros, number)
            )
        first = resolve(connection).first_written_at
    assert first == (None if outcome is None else datetime.fromtimestamp(outcome, UTC))


COARSE = {
    "everything": (EVERYTHING_CHANGED, "anything"),
    "a truncated table": (Change(table="post", op=Op.TRUNCATE), "the whole of post"),
}


@pytest.mark.parametrize(("change", "words"), COARSE.values(), ids=COARSE)
@pytest.mark.parametrize("place", [0, 1])
def test_a_change_of_a_whole_table_purges_everything(
    engine: Engine, change: Change, words: str, place: int
) -> None:
    """Also beside a change of one row, before or after it."""
    one_row = Change(table="author", op=Op.INSERT, new={"id": 1})
    changes = [one_row]
    changes.insert(place, change)
    with engine.begin() as connection:
        resolution = find_affected_pages(connection, changes)
    assert words in resolution.everything_reason
    assert resolution.change_count == 2


DAY = 86_400_000_000
BETWEEN = Range(
    table="post",
    referenced_columns=frozenset({"published_at"}),
    interval=Interval(column="published_at", low=20_000 * DAY, high=20_010 * DAY),
)
KEYS = {
    "below": (20_000 * DAY - 1, False),
    "at the lower bound": (20_000 * DAY, True),
    "inside": (20_005 * DAY, True),
    "at the upper bound": (20_010 * DAY, True),
    "above": (20_010 * DAY + 1, False),
    "after 2041": (30_000 * DAY, False),
    "NULL": (None, True),
}


@pytest.mark.parametrize(("key", "outcome"), KEYS.values(), ids=KEYS)
def test_an_interval_holds_its_bounds(engine: Engine, key: int | None, *, outcome: bool) -> None:
    """A row without a sort key lies in every interval."""
    with engine.begin() as connection:
        register_page(connection, "/", [BETWEEN], mark=current_log_position(connection))
        change = Change(table="post", op=Op.INSERT, new={"id": 1, "published_at": key})
        assert bool(find_affected_pages(connection, [change]).pages) is outcome


@pytest.mark.parametrize("order", [1, -1])
def test_a_row_without_a_sort_key_matches_beside_one_that_has_it(
    engine: Engine, order: int
) -> None:
    """Two changes of one hash are looked up with both keys."""
    changes = [
        Change(table="post", op=Op.INSERT, new={"id": n, "published_at": key})
        for n, key in enumerate((None, 5))
    ]
    with engine.begin() as connection:
        register_page(connection, "/", [BETWEEN], mark=current_log_position(connection))
        assert find_affected_pages(connection, changes[::order]).pages


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_no_page_is_left_out_between_two_chunks(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """Every affected page is loaded and marked as purged."""
    monkeypatch.setattr(LIMITS, "_CHUNK", 2)
    with engine.begin() as connection:
        at = current_log_position(connection)
        for number in range(count):
            one = Range(
                table="post", equalities=(("slug", f"s{number}"),), referenced_columns=SLUGS
            )
            register_page(connection, f"/{number}", [one], mark=at)
        insert_posts(connection, count)
        assert len(resolve(connection).pages) == count
        purged = sa.select(sa.func.count()).where(page.c.purged)
        assert connection.scalar(purged) == count


def register_at(connection: Connection, url: str, site: str, tag: str, variant: str = "") -> None:
    """Register a page of a site that reads no table."""
    response = IndexedPage(
        url=url,
        site=site,
        variant=variant,
        tag=tag,
        etag="",
        policy="P",
        registered_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )
    register(connection, response, (), [current_log_position(connection)])


def test_a_purged_url_has_the_sites_and_tags_it_is_registered_with(engine: Engine) -> None:
    """A URL that is not registered has those of the request; each is purged once and hard."""
    outcome: list[tuple[Any, ...]] = [
        ("/a", "https://one.example", "p-1"),
        ("/a", "https://two.example", "p-2"),
        ("/b", "https://here.example", "p-here"),
    ]
    with engine.begin() as connection:
        for variant, site, tag in (
            ("", "https://one.example", "p-1"),
            ("json", "https://one.example", "p-1"),
            ("text", "https://two.example", "p-2"),
        ):
            register_at(connection, "/a", site, tag, variant)
        register_at(connection, "/c", "https://one.example", "p-3")
        for url in ("/b", "/a", "/a"):
            append_change(connection, manual_purge_change(url, "p-here", "https://here.example"))
        pages: tuple[AffectedPage, ...] = resolve(connection).pages
    assert [(one.url, one.site, one.tag) for one in pages] == outcome
    assert all(one.hard_purge and one.lifetime is None for one in pages)
