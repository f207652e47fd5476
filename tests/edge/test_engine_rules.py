"""The numbered rules without which a stale page would be served.

A case is a counterexample: the write changes the result of the query, so it must match a
dependency, both directly and through the page index.

Rules that are tested elsewhere: 1.11 `flask/test_bad_input.py`; 1.13
`dependencies/test_engine_events.py`; 1.14 `flask/test_guard.py`; 1.15 `changes/test_triggers.py`;
2.B `gateway/store_contract.py`; 2.C and 2.D `purge/test_relay.py`; 2.E `tests/live/test_crash.py`; 2.F
`flask/test_several_machines.py`, `purge/test_purgeable_count.py`; 2.G `pages/test_release.py`; 2 as
a whole `test_race.py`; 3.1 `changes/test_sqlite_triggers.py`; 3.2, 3.3 and 3.4
`changes/test_triggers.py`, `changes/test_postgresql_triggers.py`; 3.6 `tests/test_database.py`; 3.7
`changes/test_drift_monitor.py`; 5.8 `pages/test_register.py`; 5.10 `purge/test_relay.py`.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask, Response, current_app, g, request
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy.dialects.postgresql import CITEXT
from sqlalchemy.engine import Connection, Engine
from sqlalchemy.orm import Session, registry
from werkzeug.routing import BaseConverter

from app.config.parsers import database_url
from app.edge import Freshness, Policy, cached
from app.edge.changes import WatchedTable, current_log_position, find_drift, install_triggers
from app.edge.changes.column_comparison import is_byte_comparable
from app.edge.changes.encoding_self_test import find_encoding_mismatch
from app.edge.changes.metadata import set_meta
from app.edge.changes.triggers import read_table_schema
from app.edge.dependencies import (
    PublicSchema,
    Row,
    Table,
    UnshareableQueryError,
    analyse_select,
    matches,
    recording,
)
from app.edge.dependencies.engine_events import EngineListener
from app.edge.flask import Edge, deploy
from app.edge.pages import IndexCapacity, RegistrationResult, Resolution
from app.edge.pages import release as releases
from app.edge.pages.register import MAX_EXTRA_LIFETIME
from app.edge.pages.resolve import resolve
from app.edge.pages.resolver_lock import acquire_resolver_lock
from app.edge.policy.cdn_headers import parse_dialects
from app.edge.purge import Tier
from app.edge.purge.edge_chain import MAX_FLIGHT_TIME, EdgeChain
from app.edge.purge.maintenance import run_maintenance
from app.edge.purge.retention import CLOCK_TOLERANCE
from app.edge.purge.runtime import RelayRuntime
from app.edge.testing import NullDriver
from app.extensions import db
from app.publishing import actions
from app.publishing.models import Kind, Site
from app.publishing.permissions import SYSTEM

from .dependencies.conftest import (
    POSTGRES,
    SCHEMA,
    WATCHED,
    author,
    changes,
    link,
    memory,
    metadata,
    post,
    rows_of,
    run_and_record,
)
from .dependencies.test_soundness import SEED
from .pages.conftest import register_page
from .purge.conftest import build, connect, register_post_page
from .purge.conftest import post as counted


@pytest.fixture
def postgres_engine(empty_postgres_url: str) -> Iterator[Engine]:
    """An engine for an empty PostgreSQL database."""
    engine = connect(database_url(empty_postgres_url))
    yield engine
    engine.dispose()


def bump(engine: Engine, number: int) -> None:
    """Change a post and commit."""
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE post SET version = version + 1 WHERE id = {number}")


def wait_for_a_lock(engine: Engine) -> None:
    """Wait until a connection waits for an advisory lock."""
    deadline = time.monotonic() + 10
    query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with engine.connect() as connection:
        while not connection.exec_driver_sql(query).scalar():
            assert time.monotonic() < deadline
            time.sleep(0.01)


def day(number: int, year: int = 2026) -> datetime:
    """Return an instant without a zone."""
    return datetime(year, 1, number)  # noqa: DTZ001 - the column has no zone


def new(number: int = 9, **values: Any) -> sa.Insert:
    """Return the insert of a further post."""
    return sa.insert(post).values(id=number, slug=f"s{number}", **values)


@pytest.fixture
def seeded() -> Iterator[Connection]:
    """Three posts of two authors, two of them linked to a topic; a third author has none."""
    engine = memory()
    with engine.connect() as connection:
        for write in SEED:
            connection.execute(write)
        connection.execute(sa.insert(author).values(id=3, name="c", active=True))
        changes(connection)
        yield connection
    engine.dispose()


def assert_writes_match(connection: Connection, statement: Any, *writes: Any) -> None:
    """Assert that the writes change a query's result and match its dependencies."""
    at = current_log_position(connection)
    _, dependencies = run_and_record(connection, statement)
    assert (
        register_page(connection, "/page", dependencies, mark=at) is RegistrationResult.REGISTERED
    )
    was = rows_of(connection, statement)
    for write in writes:
        connection.execute(sa.text(write) if isinstance(write, str) else write)
    assert rows_of(connection, statement) != was, "the write must change the result"
    resolution = resolve(connection)
    assert resolution.everything_reason or resolution.pages, dependencies
    log = changes(connection)
    assert any(matches(d, c) for d in dependencies for c in log), dependencies


def ids(query: Any = post.c.id) -> sa.Select[Any]:
    """Return a SELECT of post ids."""
    return sa.select(query)


REFERENCED = {
    "a column that is not declared": (
        sa.select(post).where(post.c.status == "live", post.c.title == "z"),
        sa.update(post).where(post.c.id == 1).values(title="z"),
    ),
    "a column in ORDER BY": (
        sa.select(post.c.id).order_by(post.c.title.desc()),
        sa.update(post).where(post.c.id == 1).values(title="z"),
    ),
    "a column in GROUP BY": (
        sa.select(sa.func.count()).select_from(post).group_by(post.c.title),
        sa.update(post).where(post.c.id == 1).values(title="b"),
    ),
    "a column in a function's argument": (
        sa.select(post.c.id).where(sa.func.upper(post.c.title) == "Z"),
        sa.update(post).where(post.c.id == 1).values(title="z"),
    ),
    "a column in ON": (
        sa.select(post.c.id).join(author, author.c.name == post.c.title),
        sa.update(post).where(post.c.id == 3).values(title="z"),
    ),
}


@pytest.mark.parametrize(("statement", "write"), REFERENCED.values(), ids=REFERENCED)
def test_1_1_every_referenced_column_counts(seeded: Connection, statement: Any, write: Any) -> None:
    """A row can enter the result without a change of its filter columns."""
    assert_writes_match(seeded, statement, write)


KEYLESS = {
    "one column": sa.select(post.c.title).where(post.c.status == "live"),
    "a maximum": sa.select(sa.func.max(post.c.title)).where(post.c.status == "live"),
    "distinct values": sa.select(post.c.title).distinct(),
    "distinct values with their keys": sa.select(post.c.id, post.c.title).distinct(),
    "a subquery": sa.select(sa.select(post.c.id, post.c.title).subquery().c.title),
    "a subquery of whole rows": sa.select(sa.select(post).subquery()),
    "a common table of whole rows": sa.select(sa.select(post).cte().c.title),
}


@pytest.mark.parametrize("statement", KEYLESS.values(), ids=KEYLESS)
def test_1_2_without_the_primary_key_the_selected_columns_count(
    seeded: Connection, statement: Any
) -> None:
    """Without a primary key in the result, the range depends on the selected columns."""
    assert_writes_match(seeded, statement, sa.update(post).where(post.c.id == 3).values(title="z"))


def test_1_2_a_count_depends_on_every_row_that_may_count(seeded: Connection) -> None:
    """A row that enters the count has no key in the result."""
    count = sa.select(sa.func.count()).select_from(post).where(post.c.status == "draft")
    assert_writes_match(seeded, count, sa.update(post).where(post.c.id == 1).values(status="draft"))


MISPLACED = {
    "an anti-join": (
        sa.select(author.c.id)
        .select_from(author.outerjoin(post, post.c.author_id == author.c.id))
        .where(post.c.author_id.is_(None)),
        new(author_id=3),
    ),
    "ON filters the preserved side": (
        sa.select(post.c.id, author.c.id).select_from(
            post.outerjoin(author, sa.and_(author.c.id == post.c.author_id, post.c.status == "x")),
        ),
        new(status="draft"),
    ),
    "under OR": (
        ids().where(sa.or_(post.c.status == "draft", post.c.title == "z")),
        new(status="live", title="z"),
    ),
    "under NOT": (ids().where(sa.not_(post.c.status == "live")), new(status="draft")),
    "in a CASE": (
        ids().where(sa.case((post.c.status == "live", 0), else_=1) == 1),
        new(status="draft"),
    ),
    "in a list of columns": (sa.select(post.c.status == "draft"), new(status="live")),
}


@pytest.mark.parametrize(("statement", "write"), MISPLACED.values(), ids=MISPLACED)
def test_1_3_an_equality_counts_only_where_it_filters(
    seeded: Connection, statement: Any, write: Any
) -> None:
    """A row that does not satisfy the comparison can still change the result."""
    assert_writes_match(seeded, statement, write)


def test_1_3_an_equality_on_the_optional_side_is_taken_from_its_on_alone(
    seeded: Connection,
) -> None:
    """A row that the WHERE excludes replaces the row of NULLs."""
    outer_join = author.outerjoin(post, sa.and_(post.c.author_id == author.c.id))
    absent = sa.select(author.c.id).select_from(outer_join)
    absent = absent.where(sa.or_(post.c.status == "x", post.c.id.is_(None)))
    assert_writes_match(seeded, absent, new(author_id=3, status="live"))


def test_1_4_a_joined_row_that_was_not_returned_can_enter(seeded: Connection) -> None:
    """A join also depends on rows that it did not return."""
    active = sa.select(post, author).join(author).where(author.c.active.is_(True))
    assert_writes_match(
        seeded, active, sa.update(author).where(author.c.id == 2).values(active=True)
    )


FOLLOWED = {
    "a join": sa.select(post, author).join(author),
    "a condition": sa.select(post, author).where(author.c.id == post.c.author_id),
    "an outer join": sa.select(post, author).outerjoin(author),
    "only posts of a kind": sa.select(post, author).join(author).where(post.c.status.is_(None)),
    "only posts that are equal": sa.select(post, author).join(author).where(post.c.slug == "s9"),
}


@pytest.mark.parametrize("statement", FOLLOWED.values(), ids=FOLLOWED)
def test_1_4_a_foreign_key_that_was_not_enforced_is_not_relied_on(statement: Any) -> None:
    """The sqlite3 shell does not enforce foreign keys: the author may be inserted last."""
    engine = memory()
    with engine.connect() as connection:
        raw: Any = connection.connection.dbapi_connection
        raw.execute("PRAGMA foreign_keys=OFF")
        connection.execute(new(author_id=7))
        changes(connection)
        assert_writes_match(connection, statement, sa.insert(author).values(id=7))
    engine.dispose()


def test_1_4_an_author_without_posts_purges_no_post(seeded: Connection) -> None:
    """An author without posts is on no page, so no page is purged."""
    at = current_log_position(seeded)
    _, dependencies = run_and_record(seeded, sa.select(post, author).join(author))
    assert register_page(seeded, "/page", dependencies, mark=at) is RegistrationResult.REGISTERED
    seeded.execute(sa.insert(author).values(id=8, name="d"))
    assert not resolve(seeded).pages


LOOKED_UP = {
    "in a result": (None, 2, True),
    "before it": (None, 1, False),
    "before it, with a filter on the other row": (author.c.id.is_(None), 1, True),
}


@pytest.mark.parametrize(("condition", "number", "is_affected"), LOOKED_UP.values(), ids=LOOKED_UP)
def test_1_4_a_left_joined_row_counts_only_for_returned_rows(
    seeded: Connection, condition: Any, number: int, is_affected: bool
) -> None:
    """Another author of a post that is not shown changes nothing, unless it filters rows."""
    pages = sa.select(post, author).outerjoin(author).order_by(post.c.published_at, post.c.id)
    pages = pages if condition is None else pages.where(sa.or_(condition, author.c.id > 0))
    at = current_log_position(seeded)
    _, dependencies = run_and_record(seeded, pages.offset(1).limit(1))
    assert register_page(seeded, "/page", dependencies, mark=at) is RegistrationResult.REGISTERED
    seeded.execute(sa.update(post).where(post.c.id == number).values(author_id=3))
    assert bool(resolve(seeded).pages) is is_affected


def test_1_5_a_post_enters_a_topics_list_through_its_link(seeded: Connection) -> None:
    """The list depends on the association table as well as on the post."""
    listed = sa.select(post).join(link).where(link.c.topic_id == 1)
    assert_writes_match(seeded, listed, sa.insert(link).values(post_id=3, topic_id=1))


LINKED = sa.select(link.c.post_id).where(link.c.topic_id == 1)
INNER = {
    "EXISTS": ids().where(
        sa.exists().where(link.c.post_id == post.c.id, link.c.topic_id == 1).correlate(post)
    ),
    "NOT EXISTS": ids().where(
        ~sa.exists().where(link.c.post_id == post.c.id, link.c.topic_id == 1).correlate(post)
    ),
    "IN": ids().where(post.c.id.in_(LINKED)),
    "NOT IN": ids().where(post.c.id.not_in(LINKED)),
    "a scalar": ids(sa.select(sa.func.count()).select_from(link).scalar_subquery()),
    "a correlated scalar": sa.select(
        post.c.id,
        sa.select(sa.func.count())
        .select_from(link)
        .where(link.c.post_id == post.c.id)
        .correlate(post)
        .scalar_subquery(),
    ),
    "a common table": sa.select(LINKED.cte().c.post_id),
    "a union": sa.union_all(ids(), LINKED),
    "a subquery": sa.select(LINKED.subquery().c.post_id),
}


@pytest.mark.parametrize("statement", INNER.values(), ids=INNER)
def test_1_6_each_inner_select_is_analysed(seeded: Connection, statement: Any) -> None:
    """Each inner SELECT has its own tables and conditions."""
    assert_writes_match(seeded, statement, sa.insert(link).values(post_id=3, topic_id=1))


UNEQUAL = {
    "<>": post.c.status != "live",
    "NOT IN": post.c.status.not_in(["live"]),
    "LIKE": post.c.status.like("d%"),
    "a function": sa.func.lower(post.c.status) == "draft",
    "a cast": sa.cast(post.c.status, sa.String) == "draft",
    "IS": post.c.status.is_("draft"),
}


@pytest.mark.parametrize("condition", UNEQUAL.values(), ids=UNEQUAL)
def test_1_6_only_an_equality_counts_as_one(seeded: Connection, condition: Any) -> None:
    """Only `column = value` and `column IN (values)` restrict a range."""
    assert_writes_match(seeded, ids().where(condition), new(status="draft"))


NEWEST = post.c.published_at.desc()
OLD = new(published_at=day(1, 2020))
PARTS = sa.select(post.c.id, post.c.published_at)
INTERVALS = {
    "a tie with the last row": (
        PARTS.order_by(NEWEST, post.c.id.desc()).limit(1),
        new(published_at=day(3)),
    ),
    "rows before the offset": (
        PARTS.order_by(NEWEST).limit(1).offset(1),
        new(published_at=day(20)),
    ),
    "fewer rows than the limit": (PARTS.order_by(NEWEST).limit(4), OLD),
    "rows without a key": (
        PARTS.order_by(NEWEST.nulls_first()).limit(2),
        new(published_at=None),
    ),
    "a key that becomes NULL": (
        PARTS.order_by(post.c.published_at).limit(2),
        sa.update(post).where(post.c.id == 3).values(published_at=None),
    ),
    "DISTINCT": (
        sa.select(post.c.status, post.c.published_at).distinct().order_by(NEWEST).limit(4),
        OLD,
    ),
    "GROUP BY": (
        sa.select(sa.func.count(), post.c.published_at)
        .group_by(post.c.status)
        .order_by(NEWEST)
        .limit(1),
        OLD.values(status="live"),
    ),
    "an aggregate": (
        sa.select(sa.func.count(), post.c.published_at).order_by(NEWEST).limit(1),
        OLD,
    ),
    "a window": (
        PARTS.add_columns(sa.func.count().over()).order_by(NEWEST).limit(1),
        OLD,
    ),
    "a window inside an expression": (
        PARTS.add_columns((sa.func.count().over() + 1).label("n")).order_by(NEWEST).limit(1),
        OLD,
    ),
    "a union": (
        sa.union_all(PARTS.where(post.c.id < 0), PARTS).limit(9),
        OLD,
    ),
    "the last row lacks the key": (
        ids().where(post.c.status == "live").order_by(NEWEST).limit(3).offset(1),
        OLD.values(status="live"),
    ),
    "the optional side of a join": (
        sa.select(author.c.id, post.c.id, post.c.published_at)
        .select_from(author.outerjoin(post))
        .order_by(post.c.published_at)
        .limit(2),
        new(author_id=3, published_at=day(1, 2027)),
    ),
}


@pytest.mark.parametrize(("statement", "write"), INTERVALS.values(), ids=INTERVALS)
def test_1_7_an_interval_is_taken_only_where_it_holds(
    seeded: Connection, statement: Any, write: Any
) -> None:
    """In these queries a row after the last one can change the result."""
    assert_writes_match(seeded, statement, write)


def test_1_8_the_post_before_another_is_bounded_on_both_sides(seeded: Connection) -> None:
    """Posts outside of the interval do not purge the page."""
    before = PARTS.where(post.c.published_at < day(20)).order_by(NEWEST).limit(1)
    at = current_log_position(seeded)
    _, dependencies = run_and_record(seeded, before)
    assert (
        register_page(seeded, "/neighbour", dependencies, mark=at) is RegistrationResult.REGISTERED
    )
    seeded.execute(new(9, published_at=day(21)))
    seeded.execute(new(10, published_at=day(1, 2020)))
    assert not resolve(seeded).pages
    assert_writes_match(seeded, before, new(11, published_at=day(15)))


@pytest.mark.parametrize("spelling", ["2026-01-03 00:00:00", "2026-01-03 00:00:00.000000"])
def test_1_9_a_tie_counts_in_each_text_format(seeded: Connection, spelling: str) -> None:
    """SQLite compares instants as text, but the interval compares numbers."""
    newest = PARTS.order_by(NEWEST, post.c.id).limit(1)
    tie = f"INSERT INTO post(id, slug, published_at) VALUES (0, 's', '{spelling}')"
    assert_writes_match(seeded, newest, tie.replace(":", r"\:"), "DELETE FROM post WHERE id = 3")


def test_1_9_an_invalid_instant_matches_every_interval(seeded: Connection) -> None:
    """The sort position of an invalid instant is not known."""
    listed = sa.select(post.c.id, sa.type_coerce(post.c.published_at, sa.String))
    listed = listed.where(post.c.published_at > day(2)).order_by(post.c.id)
    assert_writes_match(seeded, listed, "UPDATE post SET published_at = 'soon' WHERE id = 1")


ENCODINGS = {
    "the empty text": (ids().where(post.c.slug == ""), "INSERT INTO post(id, slug) VALUES (9, '')"),
    "the empty text in a list": (
        ids().where(post.c.slug.in_(["", "zz"])),
        "INSERT INTO post(id, slug) VALUES (9, '')",
    ),
    "a number as text": (ids().where(post.c.id == "9"), new()),
    "a number with a leading zero": (ids().where(post.c.id == "09"), new()),
    "a number with a fraction": (ids().where(post.c.id == 9.0), new()),
    "True for 1": (
        ids(link.c.post_id).where(link.c.topic_id == True),  # noqa: E712 - this very value
        sa.insert(link).values(post_id=3, topic_id=1),
    ),
    "a list with NULL": (ids().where(post.c.slug.in_([None, "s9"])), new()),
    "a list written out": (
        ids().where(
            post.c.slug.in_(
                sa.bindparam("slugs", ["s9", "s8"], expanding=True, literal_execute=True)
            ),
        ),
        new(),
    ),
    "a text with quotes": (
        ids().where(post.c.slug == "'\"\\\u2028é"),
        sa.insert(post).values(id=9, slug="'\"\\\u2028é"),
    ),
    "a boolean": (
        ids(author.c.id).where(author.c.active == False),  # noqa: E712 - SQL
        sa.insert(author).values(id=9, active=False),
    ),
}


@pytest.mark.parametrize(("statement", "write"), ENCODINGS.values(), ids=ENCODINGS)
def test_1_10_a_parameter_and_an_image_have_the_same_encoding(
    seeded: Connection, statement: Any, write: Any
) -> None:
    """Otherwise the value does not restrict the range."""
    assert_writes_match(seeded, statement, write)


@pytest.mark.parametrize(
    "kind",
    [
        CITEXT(),
        sa.CHAR(5),
        sa.String(collation="NOCASE"),
        sa.Numeric(),
        sa.Float(),
        sa.LargeBinary(),
    ],
    ids=repr,
)
def test_1_10_a_type_with_its_own_equality_is_not_compared(kind: Any) -> None:
    """Values that differ in case, padding or precision may be equal."""
    assert not is_byte_comparable(sa.Column("c", kind))


ODD = {
    "a text that ignores case": "slug VARCHAR(20) COLLATE NOCASE UNIQUE, status VARCHAR(20)",
    "a text without its last spaces": "slug VARCHAR(20), status VARCHAR(20) COLLATE RTRIM",
    "a number with a fraction": "slug REAL, status VARCHAR(20)",
}


@pytest.mark.parametrize("columns", ODD.values(), ids=ODD)
def test_1_10_a_collation_that_only_the_table_has_is_drift(columns: str) -> None:
    """The model declares plain text, but the table has another equality."""
    engine = memory()
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TABLE post")
        connection.exec_driver_sql(
            f"CREATE TABLE post (id INTEGER PRIMARY KEY, {columns}, "
            "title VARCHAR(20), published_at DATETIME, author_id INTEGER)",
        )
        install_triggers(connection, WATCHED)
        assert "although their encodings differ" in str(find_drift(connection, WATCHED))
    engine.dispose()


@pytest.mark.parametrize("slug", ["5", "05", "5.0", " 5"])
def test_1_10_a_text_that_the_table_stores_as_a_number(seeded: Connection, slug: str) -> None:
    """SQLite stores each of these as 5, so text with another encoding restricts no range."""
    seeded.exec_driver_sql("ALTER TABLE post RENAME slug TO old_slug")
    seeded.exec_driver_sql("ALTER TABLE post ADD slug INTEGER")
    install_triggers(seeded, WATCHED)
    changes(seeded)
    assert find_drift(seeded, WATCHED) is None
    assert_writes_match(
        seeded, ids().where(post.c.slug == slug), "INSERT INTO post(id, slug) VALUES (9, 5)"
    )


def test_1_10_the_self_test_leaves_nothing_behind(seeded: Connection) -> None:
    """It leaves no row, no log entry and no temporary table."""
    install_triggers(seeded, WATCHED)
    before = seeded.exec_driver_sql("SELECT count(*), max(id) FROM edge_change").one()
    assert (
        find_encoding_mismatch(seeded, [read_table_schema(seeded, table) for table in WATCHED])
        is None
    )
    assert seeded.exec_driver_sql("SELECT count(*), max(id) FROM edge_change").one() == before
    assert not seeded.exec_driver_sql("SELECT name FROM sqlite_temp_master").all()
    assert len(seeded.execute(sa.select(post)).all()) == 3


@pytest.mark.live
@pytest.mark.parametrize(
    "kind",
    ["citext", "char(9)", "varchar(9) COLLATE caseless", "numeric"],
)
def test_1_10_a_type_that_only_postgresql_has_is_drift(postgres_engine: Engine, kind: str) -> None:
    """Also if the model declares another type."""
    metadata.create_all(postgres_engine)
    with postgres_engine.begin() as connection:
        connection.exec_driver_sql("CREATE EXTENSION citext")
        connection.exec_driver_sql(
            "CREATE COLLATION caseless (provider = icu, locale = 'und-u-ks-level2', "
            "deterministic = false)",
        )
        install_triggers(connection, WATCHED)
        assert find_drift(connection, WATCHED) is None
        connection.exec_driver_sql(f"ALTER TABLE post ALTER status TYPE {kind} USING NULL")
        install_triggers(connection, WATCHED)
        assert "although their encodings differ" in str(find_drift(connection, WATCHED))


HIDDEN = {
    "the clock": sa.select(post).where(post.c.published_at <= sa.func.now()),
    "the database's clock": sa.select(post).where(
        post.c.published_at <= sa.func.current_timestamp()
    ),
    "chance": sa.select(post).order_by(sa.func.random()),
    "a sequence": sa.select(sa.func.nextval("s")),
    "a setting": sa.select(sa.func.current_setting("TimeZone")),
    "a function of the site": sa.select(sa.func.own.lower(post.c.slug)),
    "a view": sa.select(sa.table("live_post", sa.column("id"))),
    "a search index": sa.select(sa.table("post_search", sa.column("rowid"))),
    "another schema's table": sa.select(sa.table("post", sa.column("id"), schema="other")),
    "raw SQL inside": sa.select(post.c.id).where(sa.text("1 = 1")),
    "a raw column": sa.select(sa.literal_column("(SELECT 1 FROM private)")),
    "a write inside": sa.select(sa.delete(post).returning(post.c.id).cte().c.id),
}


@pytest.mark.parametrize("statement", HIDDEN.values(), ids=HIDDEN)
def test_1_11_a_statement_with_unknown_reads_is_refused(statement: Any) -> None:
    """A statement with an unknown part is refused."""
    with pytest.raises(UnshareableQueryError):
        analyse_select(statement.compile(dialect=POSTGRES), SCHEMA)


def test_1_11_a_declared_search_index_stands_for_the_whole_of_its_tables(
    seeded: Connection,
) -> None:
    """The rank of a result depends on every document."""
    seeded.exec_driver_sql("CREATE VIRTUAL TABLE post_search USING fts5(title)")
    search = sa.table("post_search", sa.column("rowid"))
    schema = PublicSchema.from_watched_tables(WATCHED, derived={"post_search": ("post",)})
    _, dependencies = run_and_record(seeded, sa.select(search.c.rowid), schema)
    assert dependencies == {Table(table="post")}


@pytest.mark.parametrize("statement", ["PRAGMA user_version", "SELECT 1", "EXPLAIN SELECT 1"])
def test_1_11_a_raw_statement_with_rows_makes_the_record_unshareable(statement: str) -> None:
    """Also a statement that is no SELECT can read data."""
    engine = memory()
    EngineListener(SCHEMA).attach(engine)
    with recording() as record, engine.connect() as connection:
        connection.exec_driver_sql(statement)
    engine.dispose()
    assert record.unshareable_reason


@pytest.mark.live
def test_2_a_change_that_commits_while_others_are_resolved_is_not_lost(
    postgres_engine: Engine,
) -> None:
    """On PostgreSQL each statement of a transaction sees later commits than the one before."""
    build(postgres_engine, posts=40)
    writing = connect(postgres_engine.url.render_as_string(hide_password=False))
    numbers = iter(range(2, 41))

    def commit(*_arguments: Any) -> None:
        bump(writing, next(numbers))

    bump(writing, 1)
    with postgres_engine.connect() as connection:
        sa.event.listen(connection, "before_cursor_execute", commit)
        with connection.begin():
            purged = {page.url for page in resolve(connection).pages}
    with postgres_engine.begin() as connection:
        purged |= {page.url for page in resolve(connection).pages}
    writing.dispose()
    assert purged == {f"/{number}" for number in range(1, next(numbers))}


@pytest.mark.live
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_2_a_waiting_resolver_sees_pages_registered_in_between(
    postgres_engine: Engine, level: Any
) -> None:
    """Also if the default isolation level takes one snapshot per transaction."""
    build(postgres_engine, posts=1)
    with postgres_engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM edge_page")
    strict = sa.create_engine(postgres_engine.url, isolation_level=level)

    def settle() -> list[str]:
        with strict.begin() as connection:
            return [affected.url for affected in resolve(connection).pages]

    with ThreadPoolExecutor() as pool, postgres_engine.connect() as connection:
        register_post_page(connection, 1)
        bump(postgres_engine, 1)
        future = pool.submit(settle)
        wait_for_a_lock(postgres_engine)
        connection.commit()
        assert future.result(10) == ["/1"]
    strict.dispose()


@pytest.mark.live
@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_2_a_waiting_registration_sees_changes_resolved_in_between(
    postgres_engine: Engine, level: Any
) -> None:
    """A page must not be registered if a dependency's change was resolved before."""
    build(postgres_engine, posts=1)
    strict = sa.create_engine(postgres_engine.url, isolation_level=level)
    with strict.connect() as connection:
        at = current_log_position(connection)
    row = Row(table="post", key=(("id", "1"),), columns=frozenset({"version"}))

    def late() -> RegistrationResult:
        with strict.begin() as connection:
            return register_page(connection, "/late", {row}, mark=at)

    with ThreadPoolExecutor() as pool, postgres_engine.connect() as connection:
        acquire_resolver_lock(connection)
        future = pool.submit(late)
        wait_for_a_lock(postgres_engine)
        bump(postgres_engine, 1)
        assert [affected.url for affected in resolve(connection).pages] == ["/1"]
        connection.commit()
        assert future.result(10) is RegistrationResult.DEPENDENCY_CHANGED
    strict.dispose()


def killed_at(app: Flask, step: str) -> None:
    """Make this process stop at a step of its purges."""

    def on_step(name: str) -> None:
        if name == step:
            raise Killed

    relay = app.extensions["edge"].worker.relay
    dying = RelayRuntime(on_step=on_step)
    for mortal in (relay, *relay.deliveries):
        mortal._runtime = dying


class Killed(BaseException):
    """Raised to simulate that the process was killed."""


def name_the_site(title: str) -> None:
    """Set the site's title, which every page shows."""
    site = db.session.get(Site, 1)
    actions.save_site(
        actions.SiteDraft(title=title),
        expected_version=site.version if site else None,
        actor=SYSTEM,
    )


def read_home_page(app: Flask) -> tuple[str, bool]:
    """Return the title that a page shows, and whether it was a hit."""
    answer = app.test_client().get("/topics")
    names = [name for name in ("First", "Second") if name in answer.text]
    return " ".join(names), "; hit" in answer.headers["Cache-Status"]


@pytest.mark.parametrize("step", ["resolved", "settled", "claimed", "called", "recorded"])
def test_2_e_after_a_restart_nothing_stale_is_served(
    make_app: Callable[..., Flask], step: str
) -> None:
    """If the only process is killed after its commit, the next one serves no stale page."""
    app = make_app(EDGE_GATEWAY=True)
    read_home_page(app)
    name_the_site("First")
    assert (read_home_page(app), read_home_page(app)) == (("First", False), ("First", True))
    killed_at(app, step)
    with pytest.raises(Killed):
        name_the_site("Second")
    assert read_home_page(make_app(EDGE_GATEWAY=True))[0] == "Second"


def test_2_e_editors_see_their_own_write_if_another_process_purges_it(
    make_app: Callable[..., Flask],
) -> None:
    """Another process has resolved the change, but not purged the page yet."""
    other, app = make_app(EDGE_GATEWAY=True), make_app(EDGE_GATEWAY=True)
    for each in (other, app):
        read_home_page(each)
    name_the_site("First")
    read_home_page(app)
    worker = app.extensions["edge"].worker
    enqueue_changes = other.extensions["edge"].worker.relay.enqueue_changes
    worker.relay.enqueue_changes = lambda now: enqueue_changes(now) and Resolution()
    name_the_site("Second")
    assert read_home_page(app)[0] == "Second"


def test_5_4_a_database_from_a_backup_is_not_shown_with_later_pages(
    make_app: Callable[..., Flask], tmp_path: Path
) -> None:
    """Also if the backup was taken during the lifetime of the process."""
    app = make_app(EDGE_GATEWAY=True)
    name_the_site("First")
    read_home_page(app)
    backup = sqlite3.connect(tmp_path / "backup.db")
    now = sqlite3.connect(tmp_path / "broadsheet.db")
    with closing(backup), closing(now):
        now.backup(backup)
        name_the_site("Second")
        assert (read_home_page(app), read_home_page(app)) == (("Second", False), ("Second", True))
        db.session.remove()
        db.engine.dispose()
        backup.backup(now)
    assert read_home_page(make_app(EDGE_GATEWAY=True))[0] == "First"


@pytest.mark.live
def test_5_4_a_database_of_another_cluster_is_cached_again(
    postgres_app: Flask,
) -> None:
    """The log contains numbers of other transactions, so it is reset."""
    client = postgres_app.test_client()
    with db.engine.begin() as connection:
        set_meta(connection, "floor", str(10**9))
        connection.exec_driver_sql("UPDATE edge_change SET xid = 1000000000, resolved = true")
    client.get("/topics")
    with db.engine.connect() as connection:
        pages = "SELECT count(*) FROM edge_page WHERE url = '/topics'"
        assert connection.exec_driver_sql(pages).scalar() == 1
        ops = connection.exec_driver_sql("SELECT op FROM edge_change").scalars().all()
    assert ops == ["E"]


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Flask]:
    """An app with a gateway and one page, which shows one post as JSON and another as HTML."""
    engine = connect(f"sqlite:///{tmp_path / 'small.db'}")
    build(engine, posts=2)
    app = Flask("small", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    app.secret_key = "secret"
    app.testing = True
    app.config |= {"EDGE_GATEWAY": "on", "EDGE_RELAY": False}
    edge = Edge()
    edge.init_app(app, gateway={"site": "https://example.org"})
    watched = (WatchedTable(table="post"),)
    edge.track(
        app, engine, watched, PublicSchema.from_watched_tables(watched), site="https://example.org"
    )
    app.extensions["test_engine"] = engine

    def show() -> str:
        number = 2 if request.headers.get("Accept") == "application/json" else 1
        if request.method == "HEAD":
            return ""
        with engine.connect() as connection:
            query = sa.select(counted).where(counted.c.id == number)
            return str(connection.execute(query).one().version)

    keeps = Freshness(ttl=timedelta(days=1))
    app.add_url_rule("/p", "show", cached(Policy(name="P", edge=keeps, vary=("Accept",)))(show))
    yield app
    engine.dispose()


HTML = {"Accept": "text/html"}
JSON = {"Accept": "application/json"}


@pytest.mark.parametrize("other", [("GET", JSON), ("HEAD", HTML)], ids=["Accept", "HEAD"])
def test_5_6_registering_one_variant_leaves_the_others_as_they_are(
    small: Flask, other: tuple[str, dict[str, str]]
) -> None:
    """A change of another variant's dependencies still purges the page."""
    client = small.test_client()
    assert client.get("/p", headers=HTML).text == "0"
    client.open("/p", method=other[0], headers={**other[1], "Cache-Control": "no-cache"})
    bump(small.extensions["test_engine"], 1)
    small.extensions["edge"].worker.after_write()
    assert client.get("/p", headers=HTML).text == "1"


def test_5_7_nothing_is_stored_under_a_url_that_is_not_registered(small: Flask) -> None:
    """An undeclared query, a foreign host and another method create no entry."""
    client = small.test_client()
    assert client.get("/p?x=1").status_code == 302
    assert "no-store" in client.get("/p?x=1").headers["Cache-Control"]
    assert "no-store" in client.post("/p").headers["Cache-Control"]
    client.get("/p", headers={**HTML, "Host": "evil.example"})
    assert "; hit" in client.get("/p", headers=HTML).headers["Cache-Status"]
    with small.extensions["test_engine"].connect() as connection:
        urls = connection.exec_driver_sql("SELECT DISTINCT url FROM edge_page WHERE url LIKE '/p%'")
        assert urls.scalars().all() == ["/p"]


DAY = timedelta(days=1)
LIVES = {
    "short": Freshness(ttl=DAY),
    "instead of an error": Freshness(ttl=DAY, stale_if_error=timedelta(days=7)),
    "both": Freshness(
        ttl=timedelta(hours=1),
        stale_while_revalidate=timedelta(minutes=1),
        stale_if_error=timedelta(days=7),
    ),
}


@pytest.mark.parametrize("edge", LIVES.values(), ids=LIVES)
@pytest.mark.parametrize("driven", ["", "varnish", "cloudflare,varnish"])
def test_5_1_the_index_keeps_a_page_as_long_as_an_edge_can_serve_it(
    edge: Freshness, driven: str
) -> None:
    """Each edge may receive a stale page from the next one, and start its own TTL."""
    stale = (edge.stale_while_revalidate or timedelta()) + (edge.stale_if_error or timedelta())
    front = EdgeChain.from_dialects(
        parse_dialects("cloudflare,varnish"),
        parse_dialects("broadsheet"),
        cap=timedelta(minutes=1),
        drivers=lambda name: NullDriver() if name in driven else None,
    )
    purged = len(front.tiers)
    expected_lifetime = (
        (1 + purged) * (edge.ttl + stale) + (2 - purged) * timedelta(minutes=1) + MAX_FLIGHT_TIME
    )
    assert (
        expected_lifetime
        <= front.max_lifetime(Policy(name="P", edge=edge))
        <= expected_lifetime + timedelta(minutes=5)
    )


def test_5_2_a_page_is_deleted_only_when_no_edge_can_serve_it(small: Flask) -> None:
    """Maintenance deletes pages some time after they expire, and no others."""
    small.test_client().get("/p", headers=HTML)
    engine = small.extensions["test_engine"]
    count = "SELECT count(*) FROM edge_page WHERE url = '/p'"
    life = small.extensions["edge"].edge_chain.max_lifetime(
        Policy(name="P", edge=Freshness(ttl=DAY))
    )
    minute = timedelta(minutes=1)
    for elapsed, remaining_pages in (
        (life - minute, 1),
        (life + MAX_EXTRA_LIFETIME + CLOCK_TOLERANCE + minute, 0),
    ):
        with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
            run_maintenance(connection, (), datetime.now(UTC) + elapsed)
            assert connection.exec_driver_sql(count).scalar() == remaining_pages


def test_5_2_a_full_index_refuses_a_further_page(small: Flask) -> None:
    """A new page is no-store with a reason; a registered page is registered again."""
    client, engine = small.test_client(), small.extensions["test_engine"]
    client.get("/p", headers=HTML)
    state, count = small.extensions["edge"], "SELECT count(*) FROM edge_page"
    with engine.connect() as connection:
        there = connection.exec_driver_sql(count).scalar()
    state.tracker = replace(state.tracker, capacity=IndexCapacity(max_pages=there))
    state.embedded_gateway.gateway.purge_all()
    assert "stored" in client.get("/p", headers=HTML).headers["Cache-Status"]
    answer = client.get("/p", headers=JSON)
    assert "detail=index-full" in answer.headers["Cache-Status"]
    assert answer.headers["Cache-Control"] == "no-store"
    with engine.connect() as connection:
        assert connection.exec_driver_sql(count).scalar() == there


def test_5_2_a_page_is_evicted_with_its_purge(small: Flask) -> None:
    """The page is deleted in the transaction that enqueues its purges."""
    small.test_client().get("/p", headers=HTML)
    engine, tier = small.extensions["test_engine"], Tier(name="cdn", depth=1)
    with engine.execution_options(sqlite_begin="IMMEDIATE").begin() as connection:
        run_maintenance(connection, (tier,), datetime.now(UTC), IndexCapacity(max_pages=0))
        assert connection.exec_driver_sql("SELECT count(*) FROM edge_page").scalar() == 0
        outbox_rows = connection.exec_driver_sql("SELECT tier, url FROM edge_outbox").all()
    assert ("cdn", "/p") in [tuple(row) for row in outbox_rows]


def test_5_5_what_was_registered_survives_a_power_loss(make_app: Callable[..., Flask]) -> None:
    """SQLite syncs a commit to the disk before it returns."""
    make_app()
    with db.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == 2


def test_5_9_a_404_is_registered_like_a_page(make_app: Callable[..., Flask]) -> None:
    """A 404 is purged when its page is published, and always has a Cache-Control field."""
    app = make_app(EDGE_GATEWAY=True)
    client = app.test_client()
    for answer in (client.get("/about"), client.get("/about")):
        assert answer.status_code == 404
        assert answer.headers["Cache-Control"]
    assert "; hit" in answer.headers["Cache-Status"]
    now = datetime.now(UTC)
    draft = actions.Draft(title="About", body_markdown="Text", kind=Kind.PAGE, slug="about")
    post = actions.create(draft, now=now, actor=SYSTEM)
    actions.publish(post.id, expected_version=post.version, now=now, actor=SYSTEM)
    assert client.get("/about").status_code == 200


def test_5_11_a_release_with_another_index_format_purges_everything(
    make_app: Callable[..., Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The hashes in the index are no longer comparable."""
    app = make_app(EDGE_GATEWAY=True)
    deploy.release(app)
    assert not deploy.release(app).everything
    monkeypatch.setattr(releases, "_index_format_digest", lambda _watched: "another")
    assert "format of dependencies in the index" in deploy.release(app).everything


def test_1_12_a_row_that_was_loaded_before_the_record_prevents_sharing(seeded: Connection) -> None:
    """Rows that a session already holds are read without a query, so nothing is shared."""
    EngineListener(SCHEMA).attach(seeded.engine)
    mapper = registry()
    kind = type("Post", (), {})
    mapper.map_imperatively(kind, post)
    with Session(seeded) as session:
        row = session.get(kind, 1)
        with recording() as record:
            assert session.get(kind, 1) is row
    mapper.dispose()
    assert record.unshareable_reason


class ByVersion(BaseConverter):
    """A URL converter that reads the database."""

    def to_python(self, value: str) -> Any:
        """Return the version of the post with this number."""
        return version_of(int(value))


def version_of(number: int) -> int:
    """Read the version of a post."""
    with current_app.extensions["test_engine"].connect() as connection:
        query = sa.select(counted).where(counted.c.id == number)
        return int(connection.execute(query).one().version)


def before_request(app: Flask, path: str) -> str:
    """Read in a function before the request."""
    app.before_request(lambda: setattr(g, "version", version_of(2)))
    keeps(app, path, lambda: str(g.version))
    return path


def url_converter(app: Flask, path: str) -> str:
    """Read while the URL is matched."""
    app.url_map.converters["version"] = ByVersion

    def show(version: int) -> str:
        return str(version)

    keeps(app, f"{path}/<version:version>", show)
    return f"{path}/2"


def session_interface(app: Flask, path: str) -> str:
    """Read while the session is opened."""

    class Sessions(SecureCookieSessionInterface):
        def open_session(self, app: Flask, request: Any) -> Any:
            flask_session = super().open_session(app, request)
            g.version = version_of(2)
            return flask_session

    app.session_interface = Sessions()
    keeps(app, path, lambda: str(g.version))
    return path


def keeps(app: Flask, rule: str, view: Callable[..., str]) -> None:
    """Add a page that the gateway may store."""
    policy = Policy(name="E", edge=Freshness(ttl=timedelta(days=1)))
    app.add_url_rule(rule, "early", cached(policy)(view))


@pytest.mark.parametrize("early", [before_request, url_converter, session_interface])
def test_1_12_reads_before_the_view_are_recorded(
    small: Flask, early: Callable[[Flask, str], str]
) -> None:
    """The record begins before Flask handles the request."""
    path, client = early(small, "/early"), small.test_client()
    assert [client.get(path).text for _ in range(2)] == ["0", "0"]
    assert "; hit" in client.get(path).headers["Cache-Status"]
    bump(small.extensions["test_engine"], 2)
    small.extensions["edge"].worker.after_write()
    assert client.get(path).text == "1"


def test_1_12_a_session_that_holds_rows_prevents_sharing(small: Flask) -> None:
    """A closed session, or one whose rows were expired, does not prevent sharing."""
    engine = small.extensions["test_engine"]
    small.config["TESTING"] = False
    small.extensions["edge"].strict = False
    mapper = registry()
    kind = type("Post", (), {})
    mapper.map_imperatively(kind, counted)
    session = Session(engine)
    rows: list[Any] = []

    def show() -> str:
        rows.append(session.get_one(kind, 1))
        return str(rows[-1].version)

    keeps(small, "/held", show)
    client = small.test_client()
    for close, is_shared in ((False, True), (False, False), (True, False), (True, True)):
        small.extensions["edge"].embedded_gateway.gateway.purge_all()
        answer = client.get("/held")
        assert ("no-store" not in answer.headers["Cache-Control"]) is is_shared
        if close:
            session.close()
    mapper.dispose()


def test_1_12_every_request_has_its_own_session(make_app: Callable[..., Flask]) -> None:
    """A later request does not see objects that an earlier one has loaded."""
    app = make_app()
    sessions = []

    def count_loaded() -> str:
        sessions.append(len(db.session.identity_map))
        return ""

    app.add_url_rule("/seen", "seen", count_loaded)
    name_the_site("First")
    db.session.get(Site, 1)
    outside = Flask("outside")
    with outside.app_context():  # as in a server: without an active context of this app
        for _ in range(2):
            app.test_client().get("/")
            app.test_client().get("/seen")
    assert sessions == [0, 0]


def test_1_14_a_streamed_body_is_not_shared(small: Flask) -> None:
    """The body would be read after the page was registered."""
    small.testing = False
    small.add_url_rule(
        "/s",
        "s",
        cached(Policy(name="S", edge=Freshness(ttl=timedelta(days=1))))(
            lambda: Response(iter(["a", "b"]))
        ),
    )
    assert "no-store" in small.test_client().get("/s").headers["Cache-Control"]


def test_3_1_a_unique_index_with_a_collation_of_its_own_hides_no_row() -> None:
    """REPLACE removes a row that is equal only by the collation of the index."""
    engine = memory()
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE UNIQUE INDEX own ON author (name COLLATE NOCASE)")
        connection.exec_driver_sql("INSERT INTO author(id, name) VALUES (1, 'Ada')")
        install_triggers(connection, WATCHED)
        changes(connection)
        connection.exec_driver_sql("REPLACE INTO author(id, name) VALUES (2, 'ADA')")
        logged = [
            (c.op.value, dict(image)["id"]) for c in changes(connection) for image in c.images
        ]
    assert logged == [("D", 1), ("I", 2)]


def test_3_7_nothing_is_shared_until_a_dropped_trigger_is_restored(
    small: Flask,
) -> None:
    """Then everything is purged, because writes in between were not logged."""
    client, engine = small.test_client(), small.extensions["test_engine"]
    drift_monitor = small.extensions["edge"].tracker.drift_monitor
    client.get("/p", headers=HTML)
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER edge_post_update")
    assert "altered" in drift_monitor.check_now()
    bump(engine, 1)
    fresh = client.get("/p", headers=HTML)
    assert (fresh.text, fresh.headers["Cache-Control"]) == ("1", "no-store")
    with engine.begin() as connection:
        install_triggers(connection, (WatchedTable(table="post"),))
    assert drift_monitor.check_now() is None
    small.extensions["edge"].worker.after_write()
    assert client.get("/p", headers=HTML).text == "1"


def test_3_8_an_ignored_column_is_not_shown(seeded: Connection) -> None:
    """Changes of an ignored column are not logged."""
    schema = PublicSchema.from_watched_tables(
        [WatchedTable(table="post", ignored_columns=("title",))]
    )
    for statement in (sa.select(post), ids().where(post.c.title == "a")):
        with pytest.raises(UnshareableQueryError, match="title of post is in `ignored_columns`"):
            run_and_record(seeded, statement, schema)
    run_and_record(seeded, sa.select(post.c.id, post.c.slug), schema)


@pytest.mark.live
def test_3_5_values_that_an_image_cannot_hold_can_be_written(postgres_engine: Engine) -> None:
    """An infinite instant becomes NULL in the image, and the write succeeds."""
    metadata.create_all(postgres_engine)
    with postgres_engine.begin() as connection:
        install_triggers(connection, WATCHED)
        connection.exec_driver_sql(
            "INSERT INTO post(id, slug, published_at) VALUES (1, 'a', 'infinity')"
        )
        image = connection.exec_driver_sql(
            "SELECT new FROM edge_change WHERE op = 'I'"
        ).scalar_one()
    assert json.loads(image)["published_at"] is None
