"""Short-lived pages share coarse dependencies: one row each, room by kind, purged together."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import mark
from app.edge.changes.change import Change, Op
from app.edge.index import Bound, Page, Registered, register, resolve
from app.edge.index.coarse import coarse
from app.edge.index.page import Short, ShortKind
from app.edge.index.resolve import affected
from app.edge.index.short import forget_expired, take_surplus
from app.edge.index.tables import dependency, page, short_page
from app.edge.reads import Between, Dependency, Part, Range, Row, Table, matches
from app.edge.reads.encoding import whole

from .conftest import NOW

TITLE = Row(table="post", key=(("id", "1"),), columns=frozenset({"title"}))
BOUND = Bound(pages=30)


def put(
    connection: Connection,
    url: str,
    *reads: Dependency,
    kind: ShortKind = ShortKind.ERROR,
    bound: Bound | None = BOUND,
    later: timedelta = timedelta(0),
) -> Registered:
    """Register a short-lived page."""
    made = Page(
        url=url,
        tag=f"p{url[1:]}",
        etag="",
        policy="NOT_FOUND",
        registered=NOW + later,
        expires=NOW + later + timedelta(minutes=2),
        aside=True,
        short=Short(kind=kind),
        group_tag="p-short",
    )
    found = set(reads) or {TITLE, _address(url)}
    return register(connection, made, found, [mark(connection)], None, bound)


def _address(url: str) -> Range:
    return Range(table="post", equal=(("slug", url),), mentioned=frozenset({"slug"}))


def count(connection: Connection, table: sa.Table) -> int:
    """How many rows a table has."""
    return connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0


def test_pages_that_differ_in_values_share_their_dependencies(engine: Engine) -> None:
    """A thousand unknown addresses are a thousand rows, and one set of dependencies."""
    with engine.begin() as connection:
        for number in range(3):
            assert put(connection, f"/no/{number}") is Registered.DONE
        assert (count(connection, page), count(connection, short_page)) == (1, 3)
        assert count(connection, dependency) == 2


def test_a_change_that_no_address_compares_leaves_them_alone(engine: Engine) -> None:
    """What was compared with a constant stays exact: a draft is not on a list of published posts."""
    published = Range(
        table="post", equal=(("slug", "published"),), mentioned=frozenset({"slug", "title"})
    )
    with engine.begin() as connection:
        put(connection, "/no/1", published)
        draft, post = {"id": 1, "slug": "draft"}, {"id": 2, "slug": "published"}
        for new, urls in ((draft, []), (post, ["/no/1"])):
            change = Change(table="post", op=Op.INSERT, new=new)
            assert [one.url for one in affected(connection, [change]).pages] == urls


def test_pages_with_other_dependencies_are_another_group(engine: Engine) -> None:
    """A page that reads another table is not purged with the rest."""
    with engine.begin() as connection:
        put(connection, "/a", TITLE)
        put(connection, "/b", Table(table="author"))
        change = Change(
            table="author", op=Op.UPDATE, old={"id": 1}, new={"id": 1}, changed=frozenset({"id"})
        )
        assert [one.url for one in affected(connection, [change]).pages] == ["/b"]


def test_a_popular_page_is_written_seldom(engine: Engine) -> None:
    """A second copy within ten minutes writes nothing."""
    with engine.begin() as connection:
        put(connection, "/no")
        before = connection.execute(sa.select(short_page)).all()
        put(connection, "/no", later=timedelta(minutes=5))
        assert connection.execute(sa.select(short_page)).all() == before
        put(connection, "/no", later=timedelta(minutes=15))
        assert connection.execute(sa.select(short_page)).one().expires_at > before[0].expires_at


def test_a_group_outlives_its_pages(engine: Engine) -> None:
    """Rows of a group are found by a change for as long as a copy of a page may be kept."""
    with engine.begin() as connection:
        for hours in range(6):
            put(connection, f"/{hours}", later=timedelta(hours=hours))
            until = connection.scalar(sa.select(page.c.expires_at)) or 0
            assert until >= (
                connection.scalar(sa.select(sa.func.max(short_page.c.expires_at))) or 0
            )


def test_each_kind_has_room_of_its_own(engine: Engine) -> None:
    """A flood of unknown addresses takes no room from redirects and searches, or from pages."""
    with engine.begin() as connection:
        flood = [put(connection, f"/no/{number}") for number in range(5)]
        assert flood == [Registered.DONE] * 3 + [Registered.FULL] * 2
        for kind in (ShortKind.REDIRECT, ShortKind.QUERY):
            assert put(connection, f"/{kind}", kind=kind) is Registered.DONE
        assert put(connection, "/no/1") is Registered.DONE  # it is registered already


def test_a_change_takes_the_pages_of_a_group_out_of_the_index(engine: Engine) -> None:
    """They are returned to be purged for good, with the tag that they share."""
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO author (id, name) VALUES (1, 'A')")
        connection.exec_driver_sql("UPDATE edge_change SET resolved = true")
        for number in range(3):
            put(connection, f"/no/{number}", Table(table="author"))
        connection.exec_driver_sql("UPDATE author SET name = 'B'")
        found = resolve(connection).pages
        assert {(one.url, one.tag, one.gone) for one in found} == {
            (f"/no/{number}", "p-short", True) for number in range(3)
        }
        assert count(connection, short_page) == 0
        assert put(connection, "/no/1", Table(table="author")) is Registered.DONE


EXACT: tuple[Dependency, ...] = (
    TITLE,
    Range(table="post", equal=(("slug", "a"),), mentioned=frozenset({"slug"})),
    Range(
        table="post",
        equal=(("topic_id", "5"),),
        mentioned=frozenset({"published_at"}),
        between=Between(column="published_at", low=10, high=20),
    ),
    Table(table="post"),
    Part(kind="template", name="a.html", digest="1"),
)
IMAGES = ({"id": 1, "slug": "a", "topic_id": 5, "published_at": 15}, {"id": 2, "slug": "b"})


@pytest.mark.parametrize("exact", EXACT, ids=str)
def test_a_coarse_dependency_matches_whatever_the_exact_one_matches(exact: Dependency) -> None:
    """It may match more, never less."""
    columns = ("id", "title", "slug", "topic_id", "published_at")
    updates = [
        Change(table="post", op=Op.UPDATE, old=old, new=new, changed=frozenset({column}))
        for old in IMAGES
        for new in IMAGES
        for column in columns
    ]
    inserts = [Change(table="post", op=Op.INSERT, new=image) for image in IMAGES]
    gone = Change(table="part:template", op=Op.DELETE, old={"name": "a.html", "digest": "1"})
    changes = [*updates, *inserts, gone]
    assert any(matches(exact, change) for change in changes)
    for change in changes:
        assert matches(coarse(exact), change) or not matches(exact, change)


def test_a_lower_bound_takes_the_oldest_out_with_their_purge(engine: Engine) -> None:
    """A row that lives leaves only in a transaction that queues the purge of its page."""
    with engine.begin() as connection:
        for number in range(3):
            put(connection, f"/no/{number}", later=timedelta(minutes=number))
        left = take_surplus(connection, Bound(pages=10), 100)
        assert {(one.url, one.tag, one.gone) for one in left} == {
            ("/no/0", "p-short", True),
            ("/no/1", "p-short", True),
        }
        assert count(connection, short_page) == 1


def test_what_has_expired_leaves(engine: Engine) -> None:
    """A flood leaves nothing behind after an hour or two."""
    with engine.begin() as connection:
        put(connection, "/old")
        put(connection, "/new", later=timedelta(hours=1))
        assert forget_expired(connection, whole(NOW + timedelta(hours=1)) or 0, 100) == 1
        assert list(connection.scalars(sa.select(short_page.c.url))) == ["/new"]
