"""Short-lived pages share coarse dependencies: one row each, room by kind, purged together."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position
from app.edge.changes.change import Change, Op
from app.edge.changes.encoding import sort_key_value
from app.edge.dependencies import Dependency, Interval, Part, Range, Row, Table, matches
from app.edge.pages import IndexCapacity, IndexedPage, RegistrationResult
from app.edge.pages.coarse_dependencies import coarse
from app.edge.pages.page import Short, ShortKind
from app.edge.pages.register import register
from app.edge.pages.resolve import find_affected_pages, resolve
from app.edge.pages.short_lived import forget_expired, take_surplus
from app.edge.pages.tables import dependency, page, short_page

from .conftest import NOW

TITLE = Row(table="post", key=(("id", "1"),), columns=frozenset({"title"}))
CAPACITY = IndexCapacity(max_pages=30)


def register_short_page(
    connection: Connection,
    url: str,
    *reads: Dependency,
    kind: ShortKind = ShortKind.ERROR,
    capacity: IndexCapacity | None = CAPACITY,
    later: timedelta = timedelta(0),
) -> RegistrationResult:
    """Register a short-lived page."""
    response = IndexedPage(
        url=url,
        tag=f"p{url[1:]}",
        etag="",
        policy="NOT_FOUND",
        registered_at=NOW + later,
        expires_at=NOW + later + timedelta(minutes=2),
        is_open_ended=True,
        short=Short(kind=kind),
        group_tag="p-short",
    )
    dependencies = set(reads) or {TITLE, _address(url)}
    return register(
        connection, response, dependencies, [current_log_position(connection)], None, capacity
    )


def _address(url: str) -> Range:
    return Range(table="post", equalities=(("slug", url),), referenced_columns=frozenset({"slug"}))


def count(connection: Connection, table: sa.Table) -> int:
    """How many rows a table has."""
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_pages_that_differ_in_values_share_their_dependencies(engine: Engine) -> None:
    """A thousand unknown URLs are a thousand rows with one set of dependencies."""
    with engine.begin() as connection:
        for number in range(3):
            assert register_short_page(connection, f"/no/{number}") is RegistrationResult.REGISTERED
        assert (count(connection, page), count(connection, short_page)) == (1, 3)
        assert count(connection, dependency) == 2


def test_a_change_of_values_outside_the_url_purges_no_unknown_url(engine: Engine) -> None:
    """A value that is not in the URL stays exact, so a draft does not purge the page."""
    published = Range(
        table="post",
        equalities=(("slug", "published"),),
        referenced_columns=frozenset({"slug", "title"}),
    )
    with engine.begin() as connection:
        register_short_page(connection, "/no/1", published)
        draft, post = {"id": 1, "slug": "draft"}, {"id": 2, "slug": "published"}
        for new, urls in ((draft, []), (post, ["/no/1"])):
            change = Change(table="post", op=Op.INSERT, new=new)
            assert [one.url for one in find_affected_pages(connection, [change]).pages] == urls


def test_pages_with_other_dependencies_form_another_group(engine: Engine) -> None:
    """A page that reads another table is not purged with the rest."""
    with engine.begin() as connection:
        register_short_page(connection, "/a", TITLE)
        register_short_page(connection, "/b", Table(table="author"))
        change = Change(
            table="author",
            op=Op.UPDATE,
            old={"id": 1},
            new={"id": 1},
            changed_columns=frozenset({"id"}),
        )
        assert [one.url for one in find_affected_pages(connection, [change]).pages] == ["/b"]


def test_a_popular_page_is_rarely_written(engine: Engine) -> None:
    """A second copy within ten minutes writes nothing."""
    with engine.begin() as connection:
        register_short_page(connection, "/no")
        before = connection.execute(sa.select(short_page)).all()
        register_short_page(connection, "/no", later=timedelta(minutes=5))
        assert connection.execute(sa.select(short_page)).all() == before
        register_short_page(connection, "/no", later=timedelta(minutes=15))
        assert connection.execute(sa.select(short_page)).one().expires_at > before[0].expires_at


def test_a_group_outlives_its_pages(engine: Engine) -> None:
    """A change finds the group for as long as a copy of one of its pages may be cached."""
    with engine.begin() as connection:
        for hours in range(6):
            register_short_page(connection, f"/{hours}", later=timedelta(hours=hours))
            until = connection.scalar(sa.select(page.c.expires_at)) or 0
            assert until >= (
                connection.scalar(sa.select(sa.func.max(short_page.c.expires_at))) or 0
            )


def test_each_kind_has_its_own_limit(engine: Engine) -> None:
    """Unknown URLs take no room from redirects, searches or pages."""
    with engine.begin() as connection:
        flood = [register_short_page(connection, f"/no/{number}") for number in range(5)]
        assert flood == [RegistrationResult.REGISTERED] * 3 + [RegistrationResult.INDEX_FULL] * 2
        for kind in (ShortKind.REDIRECT, ShortKind.QUERY):
            assert (
                register_short_page(connection, f"/{kind}", kind=kind)
                is RegistrationResult.REGISTERED
            )
        assert (
            register_short_page(connection, "/no/1") is RegistrationResult.REGISTERED
        )  # it is registered already


def test_a_change_deletes_the_pages_of_a_group(engine: Engine) -> None:
    """They are returned for a hard purge, with their shared tag."""
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO author (id, name) VALUES (1, 'A')")
        connection.exec_driver_sql("UPDATE edge_change SET resolved = true")
        for number in range(3):
            register_short_page(connection, f"/no/{number}", Table(table="author"))
        connection.exec_driver_sql("UPDATE author SET name = 'B'")
        pages = resolve(connection).pages
        assert {(one.url, one.tag, one.hard_purge) for one in pages} == {
            (f"/no/{number}", "p-short", True) for number in range(3)
        }
        assert count(connection, short_page) == 0
        assert (
            register_short_page(connection, "/no/1", Table(table="author"))
            is RegistrationResult.REGISTERED
        )


EXACT: tuple[Dependency, ...] = (
    TITLE,
    Range(table="post", equalities=(("slug", "a"),), referenced_columns=frozenset({"slug"})),
    Range(
        table="post",
        equalities=(("topic_id", "5"),),
        referenced_columns=frozenset({"published_at"}),
        interval=Interval(column="published_at", low=10, high=20),
    ),
    Table(table="post"),
    Part(kind="template", name="a.html", digest="1"),
)
IMAGES = ({"id": 1, "slug": "a", "topic_id": 5, "published_at": 15}, {"id": 2, "slug": "b"})


@pytest.mark.parametrize("exact", EXACT, ids=str)
def test_a_coarse_dependency_matches_all_changes_of_the_exact_one(exact: Dependency) -> None:
    """It may match more, never less."""
    columns = ("id", "title", "slug", "topic_id", "published_at")
    updates = [
        Change(table="post", op=Op.UPDATE, old=old, new=new, changed_columns=frozenset({column}))
        for old in IMAGES
        for new in IMAGES
        for column in columns
    ]
    inserts = [Change(table="post", op=Op.INSERT, new=image) for image in IMAGES]
    removal = Change(table="part:template", op=Op.DELETE, old={"name": "a.html", "digest": "1"})
    changes = [*updates, *inserts, removal]
    assert any(matches(exact, change) for change in changes)
    for change in changes:
        assert matches(coarse(exact), change) or not matches(exact, change)


def test_a_coarse_dependency_references_compared_and_sorted_columns() -> None:
    """A change of one of them alone can move a row into the range."""
    interval = Interval(column="at", low=1)
    exact = Range(
        table="t", equalities=(("k", "1"),), referenced_columns=frozenset({"x"}), interval=interval
    )
    assert coarse(exact) == Range(table="t", referenced_columns=frozenset({"x", "k", "at"}))


def test_a_lower_limit_evicts_the_oldest_pages(engine: Engine) -> None:
    """The deleted pages are returned, to be purged in the same transaction."""
    with engine.begin() as connection:
        for number in range(3):
            register_short_page(connection, f"/no/{number}", later=timedelta(minutes=number))
        evicted_pages = take_surplus(connection, IndexCapacity(max_pages=10), 100)
        assert {(one.url, one.tag, one.hard_purge) for one in evicted_pages} == {
            ("/no/0", "p-short", True),
            ("/no/1", "p-short", True),
        }
        assert count(connection, short_page) == 1


def test_expired_pages_are_deleted(engine: Engine) -> None:
    """Expired rows are deleted."""
    with engine.begin() as connection:
        register_short_page(connection, "/old")
        register_short_page(connection, "/new", later=timedelta(hours=1))
        assert forget_expired(connection, sort_key_value(NOW + timedelta(hours=1)) or 0, 100) == 1
        assert list(connection.scalars(sa.select(short_page.c.url))) == ["/new"]
