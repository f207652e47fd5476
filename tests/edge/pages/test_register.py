from __future__ import annotations

from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from app.edge.changes import current_log_position
from app.edge.changes.encoding import sort_key_value
from app.edge.changes.log import KEEP_RESOLVED
from app.edge.dependencies import Interval, Range, Row
from app.edge.pages import RegistrationResult
from app.edge.pages.dependency_shape import make_entry
from app.edge.pages.resolve import resolve
from app.edge.pages.tables import dependency, page

from ..dependencies.conftest import post, run_and_record
from .conftest import NOW, register_page


def test_a_page_is_registered_with_its_dependencies(engine: Engine) -> None:
    """The row and its dependencies are in the index when register returns."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        assert (
            register_page(connection, "/a", dependencies, mark=at) is RegistrationResult.REGISTERED
        )
        assert connection.scalar(sa.select(sa.func.count()).select_from(page)) == 1
        assert connection.scalar(sa.select(sa.func.count()).select_from(dependency)) == 1


def test_a_row_keeps_the_longest_lifetime_of_its_copies(engine: Engine) -> None:
    """An edge may still hold an earlier copy with a longer lifetime."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        for lifetime in (timedelta(days=1), timedelta(minutes=1)):
            register_page(connection, "/a", dependencies, mark=at, lifetime=lifetime)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert [page.lifetime for page in resolve(connection).pages] == [timedelta(days=1)]


def test_a_change_since_the_reads_began_is_refused(engine: Engine) -> None:
    """A page whose dependencies changed during rendering is not registered."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert (
            register_page(connection, "/a", dependencies, mark=at)
            is RegistrationResult.DEPENDENCY_CHANGED
        )
        assert connection.scalar(sa.select(sa.func.count()).select_from(page)) == 0


def test_an_unrelated_change_does_not_refuse_a_page(engine: Engine) -> None:
    """Only changes of its dependencies matter."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        connection.execute(sa.insert(post).values(id=1, slug="b"))
        assert (
            register_page(connection, "/a", dependencies, mark=at) is RegistrationResult.REGISTERED
        )


def test_5_8_a_refusal_leaves_the_older_row_as_it_is(engine: Engine) -> None:
    """An edge may still hold an older copy, which the next change must find."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        register_page(connection, "/a", dependencies, mark=at)
        connection.execute(sa.insert(post).values(id=1, slug="a"))
        assert (
            register_page(connection, "/a", dependencies, mark=at)
            is RegistrationResult.DEPENDENCY_CHANGED
        )
        assert [p.url for p in resolve(connection).pages] == ["/a"]


def test_a_log_position_older_than_the_log_is_refused(engine: Engine) -> None:
    """Deleted log entries cannot be compared, so the registration is refused."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post).where(post.c.slug == "zzz"))
        connection.execute(
            sa.insert(post), [{"id": i, "slug": f"s{i}"} for i in range(1, KEEP_RESOLVED + 10)]
        )
        resolve(connection)
        assert (
            register_page(connection, "/a", dependencies, mark=at)
            is RegistrationResult.TOO_MANY_CHANGES
        )


def test_a_page_without_a_log_position_is_refused(engine: Engine) -> None:
    """Without a log position, changes during rendering cannot be detected."""
    with engine.begin() as connection:
        _, dependencies = run_and_record(connection, sa.select(post))
        assert (
            register_page(connection, "/a", dependencies, mark="")
            is not RegistrationResult.REGISTERED
        )


def test_new_dependencies_replace_the_old_ones_of_that_variant_alone(engine: Engine) -> None:
    """Old dependencies are deleted; other variants of the page keep theirs."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, old = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        _, new = run_and_record(connection, sa.select(post).where(post.c.slug == "b"))
        register_page(connection, "/p", old, mark=at)
        register_page(connection, "/p", old, mark=at, variant="json")
        register_page(connection, "/p", new, mark=at)
        connection.execute(sa.insert(post).values(id=1, slug="b"))
        assert len(resolve(connection).pages) == 1
        connection.execute(sa.update(post).values(slug="a"))
        assert len(resolve(connection).pages) == 2


def test_only_changed_dependencies_are_replaced(engine: Engine) -> None:
    """After a second copy, exactly its dependencies are stored, each with its interval."""
    unchanged = Row(table="post", key=(("id", "1"),), columns=frozenset({"slug"}))
    old, new = (Row(table="post", key=(("id", n),), columns=unchanged.columns) for n in "23")
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
        register_page(connection, "/p", {unchanged, old, short}, mark=at)
        register_page(connection, "/p", {unchanged, new, long}, mark=at)
        rows = connection.execute(sa.select(dependency.c.hash, dependency.c.high)).all()
    assert {tuple(row) for row in rows} == {
        (e.hash, e.high) for e in (make_entry(unchanged), make_entry(new), make_entry(long))
    }
    assert len(rows) == 3


def test_an_identical_copy_writes_nothing(engine: Engine) -> None:
    """A page that is rendered again writes nothing, as long as its row outlives the copy."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        driver: Any = connection.connection.driver_connection
        has_written = []
        for age in (timedelta(0), timedelta(hours=5), timedelta(hours=7)):
            before = driver.total_changes
            register_page(connection, "/a", dependencies, mark=at, now=NOW + age)
            has_written.append(driver.total_changes > before)
        until = connection.scalar(sa.select(page.c.expires_at))
    assert has_written == [True, False, True]
    assert until == sort_key_value(NOW + timedelta(hours=7) + timedelta(days=2, hours=6))


def test_a_later_copy_renews_its_row(engine: Engine) -> None:
    """A page with unchanged dependencies updates its time and its ETag."""
    with engine.begin() as connection:
        at = current_log_position(connection)
        _, dependencies = run_and_record(connection, sa.select(post).where(post.c.slug == "a"))
        register_page(connection, "/a", dependencies, mark=at)
        connection.execute(sa.update(page).values(registered_at=0, etag="old"))
        register_page(connection, "/a", dependencies, mark=at)
        row = connection.execute(sa.select(page)).one()
    assert (row.registered_at, row.etag) == (sort_key_value(NOW), '"e"')
