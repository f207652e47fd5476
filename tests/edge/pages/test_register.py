from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import current_log_position
from app.edge.changes.encoding import sort_key_value
from app.edge.changes.log import KEEP_RESOLVED
from app.edge.dependencies import Interval, Range, Row
from app.edge.pages import RegistrationResult, resolve
from app.edge.pages.dependency_shape import make_entry
from app.edge.pages.tables import dependency, page

from ..dependencies.conftest import post, run_and_record
from .conftest import NOW, put


def test_a_page_is_registered_with_what_it_was_built_from(engine: Engine) -> None:
    """The row and its dependencies are in the index when register returns."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, found = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        assert put(connection, "/a", found, mark=at) is RegistrationResult.REGISTERED
        assert connection.scalar(sa.select(sa.func.count()).select_from(page)) == 1
        assert connection.scalar(sa.select(sa.func.count()).select_from(dependency)) == 1


def test_a_row_keeps_the_longest_lifetime_of_its_copies(engine: Engine) -> None:
    """A page that is brief now may have been kept for a day before, and that copy may be left."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, found = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        for lifetime in (timedelta(days=1), timedelta(minutes=1)):
            put(connection, "/a", found, mark=at, lifetime=lifetime)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert [page.lifetime for page in resolve(connection).pages] == [timedelta(days=1)]


def test_a_change_since_the_reads_began_is_refused(engine: Engine) -> None:
    """A page that was built from what has changed meanwhile never enters the index."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, found = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert put(connection, "/a", found, mark=at) is RegistrationResult.DEPENDENCY_CHANGED
        assert connection.scalar(sa.select(sa.func.count()).select_from(page)) == 0


def test_a_change_of_something_else_is_not_in_the_way(engine: Engine) -> None:
    """Only what the page was built from matters."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, found = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        connection.execute(sa.insert(post).values(id=1, slug="b"))
        assert put(connection, "/a", found, mark=at) is RegistrationResult.REGISTERED


def test_5_8_a_refusal_leaves_the_older_row_as_it_is(engine: Engine) -> None:
    """An older copy may still be out there, and must be found by the next change."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, found = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        put(connection, "/a", found, mark=at)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert put(connection, "/a", found, mark=at) is RegistrationResult.DEPENDENCY_CHANGED
        assert [p.url for p in resolve(connection).pages] == ["/a"]


def test_a_mark_older_than_the_log_is_refused(engine: Engine) -> None:
    """What was trimmed can't be compared, so nothing is concluded from it."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, found = run_and_record(connection, sa.select(post).where(post.c.slug == "zzz"))
        connection.execute(
            sa.insert(post), [{"id": i, "slug": f"s{i}"} for i in range(1, KEEP_RESOLVED + 10)]
        )
        resolve(connection)
        assert put(connection, "/a", found, mark=at) is RegistrationResult.TOO_MANY_CHANGES


def test_a_page_without_a_mark_is_refused(engine: Engine) -> None:
    """Nobody knows what changed since reads whose beginning is not known."""
    with engine.begin() as connection:
        _, found = run_and_record(connection, sa.select(post))
        assert put(connection, "/a", found, mark="") is not RegistrationResult.REGISTERED


def test_new_dependencies_replace_the_old_ones_of_that_variant_alone(engine: Engine) -> None:
    """A page forgets what it no longer shows; its other variants keep theirs."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, old = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        _, new = run_and_record(connection, sa.select(post).where(post.c.slug == "b"))
        put(connection, "/p", old, mark=at)
        put(connection, "/p", old, mark=at, variant="json")
        put(connection, "/p", new, mark=at)
        connection.execute(sa.insert(post).values(id=1, slug="b"))
        assert len(resolve(connection).pages) == 1
        connection.execute(sa.update(post).values(slug="a"))
        assert len(resolve(connection).pages) == 2


def test_what_a_page_still_shows_is_kept_and_the_rest_is_exchanged(engine: Engine) -> None:
    """Of two copies of a page, the later one's dependencies are there, each with its interval."""
    kept = Row(table="post", key=(("id", "1"),), columns=frozenset({"slug"}))
    gone, new = (Row(table="post", key=(("id", n),), columns=kept.columns) for n in "23")
    short, long = (
        Range(
            table="post",
            referenced_columns=frozenset({"slug"}),
            interval=Interval(column="at", high=high),
        )
        for high in (10, 20)
    )
    with engine.begin() as connection:
        at = current_log_position(connection)
        put(connection, "/p", {kept, gone, short}, mark=at)
        put(connection, "/p", {kept, new, long}, mark=at)
        rows = connection.execute(sa.select(dependency.c.hash, dependency.c.high)).all()
    assert {tuple(row) for row in rows} == {
        (e.hash, e.high) for e in map(make_entry, (kept, new, long))
    }
    assert len(rows) == 3


def test_a_copy_that_says_the_same_writes_nothing(engine: Engine) -> None:
    """An evicted page that is made again flushes no disk, as long as its row outlives the copy."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, found = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        driver: Any = connection.connection.driver_connection
        written = []
        for age in (timedelta(0), timedelta(hours=5), timedelta(hours=7)):
            before = driver.total_changes
            put(connection, "/a", found, mark=at, now=NOW + age)
            written.append(driver.total_changes > before)
        until = connection.scalar(sa.select(page.c.expires_at))
    assert written == [True, False, True]
    assert until == sort_key_value(NOW + timedelta(hours=7) + timedelta(days=2, hours=6))


def test_a_later_copy_renews_its_row(engine: Engine) -> None:
    """A page that is built from the same again says anew when it was, and what it was."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, found = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        put(connection, "/a", found, mark=at)
        connection.execute(sa.update(page).values(registered_at=0, etag="old"))
        put(connection, "/a", found, mark=at)
        row = connection.execute(sa.select(page)).one()
    assert (row.registered_at, row.etag) == (sort_key_value(NOW), '"e"')
