from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection, Engine

from app.edge.changes import current_log_position
from app.edge.changes.log import append_change, unresolved_changes
from app.edge.dependencies import matches
from app.edge.pages.page import sorted_urls
from app.edge.pages.resolve import find_affected_pages, manual_purge_change, resolve
from tests.depth import choose_cases, examples

from ..dependencies.conftest import changes, link, memory, post, rows_of, run_and_record, topic
from ..dependencies.test_soundness import SEED, WRITES, attempt, statements
from .conftest import register_page

ENGINE = memory()


@settings(max_examples=examples(300), deadline=None)
@given(st.lists(statements(), min_size=1, max_size=4), st.lists(WRITES, min_size=1, max_size=3))
def test_the_index_finds_all_altered_pages_within_the_exact_rule(
    statements: list[Any], writes: list[Any]
) -> None:
    """Every altered page is purged, and every purged page matches a change by the exact rule."""
    with ENGINE.connect() as connection:
        for write in SEED:
            attempt(connection, write)
        changes(connection)
        pages, was = {}, {}
        for number, statement in enumerate(statements):
            url = f"/{number}"
            _, pages[url] = run_and_record(connection, statement)
            was[url] = rows_of(connection, statement)
            register_page(connection, url, pages[url], mark=current_log_position(connection))
        for write in writes:
            attempt(connection, write)
        resolution = resolve(connection)
        purged = {page.url for page in resolution.pages}
        log = changes(connection)
        allowed = {u for u, deps in pages.items() if any(matches(d, c) for d in deps for c in log)}
        altered = {
            url
            for url, statement in zip(pages, statements, strict=True)
            if rows_of(connection, statement) != was[url]
        }
        assert altered <= purged or resolution.everything_reason
        assert purged <= allowed, "the index purges more than the rule asks for"
        connection.rollback()


JOINED = sa.select(post.c.id).join_from(post, link).where(link.c.topic_id == 1)
LIVE = JOINED.where(post.c.status == "live")
ABOUT = (
    LIVE.order_by(post.c.published_at.desc()).limit(1).add_columns(post.c.published_at),
    LIVE.where(post.c.published_at < datetime(2026, 1, 3)),  # noqa: DTZ001 - the column has no zone
    sa.select(sa.func.count()).select_from(LIVE.subquery()),
    sa.select(link.c.topic_id, sa.func.count())
    .join_from(post, link)
    .where(post.c.status == "live")
    .group_by(link.c.topic_id),
)
STEPS = {
    "link": "INSERT OR IGNORE INTO link SELECT id, 1 FROM post WHERE id = 1",
    "unlink": "DELETE FROM link WHERE post_id = 1",
    "publish": "UPDATE post SET status = 'live' WHERE id = 1",
    "withdraw": "UPDATE post SET status = 'draft' WHERE id = 1",
    "postpone": "UPDATE post SET published_at = '2026-01-09 00:00:00.000000' WHERE id = 1",
    "delete": "DELETE FROM post WHERE id = 1",
    "replace": "INSERT OR REPLACE INTO post(id, slug, status) VALUES (1, 'a', 'live')",
}
PAIRS = list(itertools.product(STEPS, repeat=2))
MOMENTS = ("at once", "together", "late")


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("status", ["draft", "live"])
@pytest.mark.parametrize("linked", [True, False])
def test_a_post_and_its_link_are_matched_through_past_states(
    engine: Engine, moment: str, status: str, *, linked: bool
) -> None:
    """No altered page is missed, in any order of the changes and of resolving."""
    with engine.begin() as connection:
        connection.execute(sa.insert(topic).values(id=1, name="a"))
        when = datetime(2026, 1, 2)  # noqa: DTZ001 - as above
        connection.execute(sa.insert(post).values(id=1, status=status, published_at=when))
        connection.execute(sa.insert(post).values(id=2, status="live", published_at=when))
        connection.execute(sa.insert(link).values(post_id=2, topic_id=1))
        if linked:
            connection.execute(sa.insert(link).values(post_id=1, topic_id=1))
        resolve(connection)
        for number, statement in enumerate(ABOUT):
            register_page(
                connection,
                f"/{number}",
                run_and_record(connection, statement)[1],
                mark=current_log_position(connection),
            )
        was = [rows_of(connection, statement) for statement in ABOUT]
        for first, then in choose_cases(PAIRS, start=MOMENTS.index(moment)):
            with connection.begin_nested() as savepoint:
                purged = _carried_out(connection, STEPS[first], STEPS[then], moment)
                now = [rows_of(connection, statement) for statement in ABOUT]
                altered = {f"/{n}" for n, rows in enumerate(now) if rows != was[n]}
                assert altered <= purged, (first, then)
                savepoint.rollback()


def _carried_out(connection: Connection, first: str, then: str, moment: str) -> set[str]:
    """Return the URLs that two writes purge; `late` resolves the first after the second commits."""
    connection.exec_driver_sql(first)
    early = len(unresolved_changes(connection, limit=100))
    at_once = _purge_urls(connection, early) if moment == "at once" else set()
    connection.exec_driver_sql(then)
    late = _purge_urls(connection, early) if moment == "late" else set()
    return at_once | late | _purge_urls(connection, len(unresolved_changes(connection, limit=100)))


def _purge_urls(connection: Connection, most: int) -> set[str]:
    """Resolve the oldest `most` changes and return the purged URLs."""
    resolution = find_affected_pages(connection, unresolved_changes(connection, limit=100)[:most])
    assert not resolution.everything_reason
    oldest = f"SELECT id FROM edge_change WHERE NOT resolved ORDER BY id LIMIT {most}"
    connection.exec_driver_sql(f"UPDATE edge_change SET resolved = 1 WHERE id IN ({oldest})")
    return {*sorted_urls(resolution.pages)}


def test_a_link_matters_to_a_list_only_where_its_post_does(engine: Engine) -> None:
    """A draft's new topic, or a removed topic of an old post, does not purge the list."""
    with engine.begin() as connection:
        connection.execute(sa.insert(topic).values(id=1, name="a"))
        for number, status in ((1, "live"), (2, "live"), (3, "draft")):
            when = datetime(2026, 1, number)  # noqa: DTZ001 - as above
            row = {"id": number, "status": status, "published_at": when}
            connection.execute(sa.insert(post).values(row))
        connection.execute(sa.insert(link), [{"post_id": n, "topic_id": 1} for n in (1, 2)])
        resolve(connection)
        register_page(
            connection,
            "/",
            run_and_record(connection, ABOUT[0])[1],
            mark=current_log_position(connection),
        )
        connection.execute(sa.insert(link).values(post_id=3, topic_id=1))
        assert resolve(connection).pages == ()
        connection.execute(sa.delete(link).where(link.c.post_id == 1))
        assert resolve(connection).pages == ()
        connection.execute(sa.delete(link).where(link.c.post_id == 2))
        assert sorted_urls(resolve(connection).pages) == ("/",)


def test_a_post_matters_to_a_topic_only_while_it_has_it(engine: Engine) -> None:
    """An edit of a post purges the pages of its own topics, and of no other."""
    about = sa.select(post).join(link, link.c.post_id == post.c.id)
    with engine.begin() as connection:
        connection.execute(sa.insert(topic), [{"id": 1, "name": "a"}, {"id": 2, "name": "b"}])
        connection.execute(sa.insert(post), [{"id": n, "slug": f"s{n}"} for n in (1, 2)])
        connection.execute(sa.insert(link), [{"post_id": 1, "topic_id": 1}])
        resolve(connection)
        for number in (1, 2):
            _, deps = run_and_record(
                connection, about.where(link.c.topic_id == number).order_by(post.c.status)
            )
            register_page(
                connection, f"/topics/{number}", deps, mark=current_log_position(connection)
            )
        connection.execute(sa.update(post).where(post.c.id == 2).values(status="live"))
        assert resolve(connection).pages == ()
        connection.execute(sa.update(post).where(post.c.id == 1).values(status="live"))
        assert [page.url for page in resolve(connection).pages] == ["/topics/1"]
        connection.execute(sa.delete(link))
        connection.execute(sa.update(post).where(post.c.id == 1).values(status="draft"))
        assert [page.url for page in resolve(connection).pages] == ["/topics/1"]


def test_a_change_is_resolved_once(engine: Engine) -> None:
    """Resolved changes are not resolved again."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post))
        register_page(connection, "/", dependencies, mark=at)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert [page.url for page in resolve(connection).pages] == ["/"]
        assert resolve(connection).change_count == 0


def test_an_ordered_list_is_purged_by_rows_that_enter_it(engine: Engine) -> None:
    """A row below the last one of a limited list does not purge it; a newer row does."""

    def day(number: int) -> datetime:
        return datetime(2026, 1, number)  # noqa: DTZ001 - the column has no zone

    newest = sa.select(post).order_by(post.c.published_at.desc(), post.c.id.desc()).limit(2)
    with engine.begin() as connection:
        connection.execute(
            sa.insert(post),
            [{"id": n, "slug": f"s{n}", "published_at": day(n)} for n in (10, 11, 12)],
        )
        resolve(connection)
        _, dependencies = run_and_record(connection, newest)
        register_page(connection, "/", dependencies, mark=current_log_position(connection))
        connection.execute(sa.insert(post).values(id=1, slug="old", published_at=day(1)))
        assert resolve(connection).pages == ()
        connection.execute(sa.insert(post).values(id=2, slug="new", published_at=day(20)))
        assert [page.url for page in resolve(connection).pages] == ["/"]


def test_many_changes_purge_everything(engine: Engine) -> None:
    """A bulk import becomes one purge of everything and does not load all its rows."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post), [{"id": i, "slug": f"s{i}"} for i in range(1, 2_100)])
        assert "too many changes" in resolve(connection).everything_reason
        assert resolve(connection).change_count == 0


LIVE = sa.select(post).where(post.c.status == "live")
GONE = {
    "another text": (sa.update(post).values(title="b"), {"/1": False}),
    "taken back": (sa.update(post).values(status="draft"), {"/": True, "/1": True}),
    "deleted": (sa.delete(post), {"/": True, "/1": True}),
    "put on the list": (sa.insert(post).values(id=2, slug="s2", status="live"), {"/": False}),
}


@pytest.mark.parametrize(("write", "expected"), GONE.values(), ids=GONE)
def test_removed_rows_cause_hard_purges(
    engine: Engine, write: Any, expected: dict[str, bool]
) -> None:
    """Edited and added rows need no hard purge."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post).values(id=1, slug="s1", title="a", status="live"))
        resolve(connection)
        for url, statement in (
            ("/", LIVE.with_only_columns(post.c.id)),
            ("/1", LIVE.where(post.c.id == 1)),
        ):
            _, dependencies = run_and_record(connection, statement)
            register_page(connection, url, dependencies, mark=current_log_position(connection))
        connection.execute(write)
        assert {page.url: page.hard_purge for page in resolve(connection).pages} == expected


def test_a_manual_purge_is_a_hard_purge(engine: Engine) -> None:
    """A manual purge is a hard purge, because its reason is unknown."""
    with engine.begin() as connection:
        append_change(connection, manual_purge_change("/a", "p-a"))
        assert [page.hard_purge for page in resolve(connection).pages] == [True]
