"""The sentences about a page, its changes and their impact."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from app.edge.changes.change import Change, Op
from app.edge.dependencies import Interval, Range, Row, SemiJoin, Table
from app.edge.pages import explain, impact
from app.edge.pages.explain import Explanation, LastChange, RegisteredVariant, describe_change
from app.edge.pages.impact import (
    Impact,
    RowMatch,
    UnknownRowError,
    find_row,
    impact_of_action,
    impact_of_row,
)
from app.edge.pages.precision import Precision
from app.edge.pages.release import ReleaseResult
from app.edge.pages.wal import log_size
from tests.edge.dependencies.conftest import WATCHED, post

from .conftest import NOW, register_page

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection, Engine

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def change(table: str, op: Op, **values: Any) -> Change:
    """Return a change of one row."""
    image = values.pop("image", {})
    columns = frozenset(values.pop("columns", ()))
    old = image if op in {Op.UPDATE, Op.DELETE} else None
    new = image if op in {Op.UPDATE, Op.INSERT} else None
    return Change(table=table, op=op, old=old, new=new, changed_columns=columns)


CHANGES: dict[str, tuple[Change, str]] = {
    "everything": (change("*", Op.EVERYTHING), "anything may have changed"),
    "truncate": (change("post", Op.TRUNCATE), "post was emptied"),
    "insert": (change("post", Op.INSERT, image={"id": 7}), "post with id 7 was added"),
    "delete": (change("post", Op.DELETE, image={"id": 7, "a": 1}), "post with id 7 was removed"),
    "update": (
        change("post", Op.UPDATE, image={"id": 7}, columns=("title", "body")),
        "post with id 7 got another body and title",
    ),
    "a composite key": (
        change("link", Op.INSERT, image={"post_id": 1, "topic_id": 2}),
        "link with post_id 1, topic_id 2 was added",
    ),
    "a template": (
        change("part:template", Op.UPDATE, image={"name": "a.html"}),
        "a release changed the template a.html",
    ),
    "a part of a later version": (
        change("part:font", Op.UPDATE, image={"name": "a.woff"}),
        "a release changed font a.woff",
    ),
}


@pytest.mark.parametrize(("log_entry", "text"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_described_in_one_clause(log_entry: Change, text: str) -> None:
    """With the key of its row, or all of its values if it has no id."""
    assert describe_change(log_entry) == text


VARIANT = RegisteredVariant(
    variant="",
    policy="PAGE",
    etag='"e"',
    registered=NOON,
    expires=NOON + timedelta(hours=1),
    precision=Precision(),
)
REGISTRATION = (
    "registered under PAGE on 2026-05-01 12:00:00 UTC; it may be cached until "
    "2026-05-01 13:00:00 UTC"
)


@pytest.mark.parametrize(
    ("times", "alike", "text"),
    [
        (0, 0, ""),
        (1, 0, "; rendered again after 1 purge, never with identical content"),
        (1, 1, "; rendered again after 1 purge, once with identical content"),
        (3, 2, "; rendered again after 3 purges, 2 times with identical content"),
    ],
)
def test_a_variant_says_how_often_a_purge_was_of_use(times: int, alike: int, text: str) -> None:
    """A page that is purged often without another content has too many dependencies."""
    precision = Precision(rendered_again=times, unchanged=alike)
    assert replace(VARIANT, precision=precision).to_text() == REGISTRATION + text
    german = replace(VARIANT, variant="de").to_text()
    assert german.startswith("registered as de under PAGE on ")


PLAIN = Explanation(
    url="/a",
    status=200,
    policy="PAGE",
    unshareable_reason="",
    variants=(),
    fresh=None,
    built_from=(),
    last_change=None,
)
FIRST = "/a returns 200 under the policy PAGE."
UNREGISTRATION = "It is not registered: no shared cache may hold it now."
EXPLANATIONS: dict[str, tuple[Explanation, list[str]]] = {
    "not registered": (PLAIN, [FIRST, UNREGISTRATION]),
    "not shared": (
        replace(PLAIN, unshareable_reason="it read the session."),
        [FIRST, "It is not shared: it read the session.", UNREGISTRATION],
    ),
    "registered": (replace(PLAIN, variants=(VARIANT,)), [FIRST, f"It is {REGISTRATION}."]),
    "fresh": (
        replace(PLAIN, variants=(VARIANT,), fresh=True),
        [FIRST, f"It is {REGISTRATION}."],
    ),
    "another copy": (
        replace(PLAIN, variants=(VARIANT,), fresh=False),
        [
            FIRST,
            f"It is {REGISTRATION}.",
            "The registered copy differs from the page as it is rendered now.",
        ],
    ),
    "unchanged": (
        replace(PLAIN, built_from=("post 7",)),
        [
            FIRST,
            UNREGISTRATION,
            "No change in the log has affected it.",
            "It depends on:",
            "  post 7",
        ],
    ),
    "changed": (
        replace(PLAIN, built_from=("post 7",), last_change=LastChange(entry=5, what="x", at=NOON)),
        [
            FIRST,
            UNREGISTRATION,
            "Last affected by change 5 of the log, on 2026-05-01 12:00:00 UTC: x.",
            "It depends on:",
            "  post 7",
        ],
    ),
    "changed at an unknown time": (
        replace(PLAIN, last_change=LastChange(entry=5, what="x")),
        [FIRST, UNREGISTRATION, "Last affected by change 5 of the log: x."],
    ),
}


@pytest.mark.parametrize(("explanation", "lines"), EXPLANATIONS.values(), ids=EXPLANATIONS)
def test_an_explanation_has_a_line_for_each_fact(
    explanation: Explanation, lines: list[str]
) -> None:
    """Facts that are not known have no line, and JSON has all keys."""
    assert list(explanation.to_lines()) == lines
    data = explanation.to_json()
    assert (data["fresh"], data["refused"]) == (explanation.fresh, explanation.unshareable_reason)
    assert len(data) == 9


DEPENDENCIES: dict[str, tuple[Any, str]] = {
    "a table": (Table(table="post"), "everything in post"),
    "a range": (
        Range(
            table="post",
            equalities=(("status", "published"),),
            interval=Interval(column="published_at", low=0, high=1_000_000),
            referenced_columns=frozenset({"status", "published_at"}),
        ),
        (
            "which post there are with status published, published_at from 1970-01-01 00:00:00 "
            "UTC up to 1970-01-01 00:00:01 UTC (by published_at, status)"
        ),
    ),
    "a range without an end": (
        Range(
            table="post",
            interval=Interval(column="rank", low=None, high=10**18),
            referenced_columns=frozenset({"rank"}),
        ),
        f"which post there are, rank up to {10**18} (by rank)",
    ),
    "a semi-join": (
        Range(
            table="post",
            semi_join=SemiJoin(
                table="link",
                joined_column="post_id",
                own_column="id",
                equalities=(("topic_id", "3"),),
            ),
            referenced_columns=frozenset({"id"}),
        ),
        "which post there are, for a link with topic_id 3 (by id)",
    ),
}


@pytest.mark.parametrize(("dependency", "text"), DEPENDENCIES.values(), ids=DEPENDENCIES)
def test_a_dependency_is_described_in_one_line(dependency: Any, text: str) -> None:
    """A sort key that is no date of the calendar is a number."""
    assert explain._describe_range(dependency) == text


def post_row(number: int) -> Row:
    """Return the dependency on title and slug of a post."""
    columns = frozenset({"title", "slug"})
    return Row(table="post", key=(("id", str(number)),), columns=columns)


def test_rows_have_labels_where_their_table_has_a_column_for_them(engine: Engine) -> None:
    """Keys of two columns have none."""
    with engine.begin() as connection:
        connection.execute(sa.insert(post), [{"id": 1, "title": "One"}, {"id": 2, "title": "Two"}])
        rows = [post_row(number) for number in (1, 2, 9)]
        load = explain._load_labels
        assert load(connection, "post", "title", rows) == {"1": "One", "2": "Two"}
        assert load(connection, "post", "", rows) == {}
        pair = Row(table="link", key=(("post_id", "1"), ("topic_id", "2")), columns=frozenset())
        assert load(connection, "link", "post_id", [pair]) == {}


IMPACTS: dict[str, tuple[Impact, list[str]]] = {
    "everything": (
        Impact(subject="It", urls=(), everything_reason="too many"),
        ["It affects everything: too many."],
    ),
    "nothing": (Impact(subject="It", urls=()), ["It affects no page that a cache may hold."]),
    "one": (Impact(subject="It", urls=("/a",)), ["It affects 1 page:", "  /a"]),
    "two": (Impact(subject="It", urls=("/a", "/b")), ["It affects 2 pages:", "  /a", "  /b"]),
}


@pytest.mark.parametrize(("result", "lines"), IMPACTS.values(), ids=IMPACTS)
def test_an_impact_lists_its_pages(result: Impact, lines: list[str]) -> None:
    """Or says why it has no list."""
    assert list(result.to_lines()) == lines


@pytest.fixture
def site(engine: Engine) -> Engine:
    """Two posts, and a page for each of them and for all."""
    with engine.begin() as connection:
        connection.execute(
            sa.insert(post),
            [
                {"id": 1, "slug": "one", "title": "One", "status": "published"},
                {"id": 2, "slug": "two", "title": "Two", "status": "draft"},
            ],
        )
        connection.exec_driver_sql("DELETE FROM edge_change")
        for number, url in ((1, "/one"), (2, "/two")):
            row = post_row(number)
            register_page(connection, url, {row}, mark="0", now=NOW)
    return engine


def row_named(connection: Connection, path: str, table: str | None = None) -> RowMatch:
    """Find a row by its slug, and use its title as its label."""
    watched = [
        replace(one, lookup_column="slug", label_column="title") if one.table == "post" else one
        for one in WATCHED
    ]
    return find_row(connection, watched, path, table)


def test_the_impact_of_a_row_can_be_limited_to_columns(site: Engine) -> None:
    """A row is named by its slug or its path; nothing is written."""
    with site.connect() as connection:
        match = row_named(connection, "/blog/one/")
        assert (match.table, match.lookup_value, match.label) == ("post", "one", "One")
        whole = impact_of_row(connection, match)
        assert (whole.subject, whole.urls) == ("A change of post 'One'", ("/one",))
        part = impact_of_row(connection, match, ("title", "slug"))
        assert part.subject == "A change of slug and title of post 'One'"
        assert part.urls == ("/one",)
        with pytest.raises(UnknownRowError, match=r"post has no column colour, size\."):
            impact_of_row(connection, match, ("size", "title", "colour"))
        with pytest.raises(UnknownRowError, match=r"There is no post 'three'\."):
            row_named(connection, "three")
        with pytest.raises(UnknownRowError, match=r"Table link has no lookup column.*: post\."):
            row_named(connection, "one", "link")


def test_the_impact_of_an_action_is_that_of_its_writes(
    site: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Earlier changes do not count; an action with many changes affects everything."""
    with site.connect() as connection:

        def retitle(number: int) -> None:
            connection.execute(sa.update(post).where(post.c.id == number).values(title="New"))

        retitle(2)
        result = impact_of_action(connection, lambda: retitle(1), "The plan")
        assert (result.subject, result.urls) == ("The plan", ("/one",))
        monkeypatch.setattr(impact, "MAX_CHANGES", 1)
        one = impact_of_action(connection, lambda: retitle(1), "The plan")
        assert one.everything_reason == ""

        def write_twice() -> None:
            connection.execute(sa.update(post).values(title="Both"))

        many = impact_of_action(connection, write_twice, "The plan")
        assert many.everything_reason == "too many changes to compare one by one"
        connection.rollback()


RELEASES: dict[str, tuple[ReleaseResult, list[str]]] = {
    "nothing": (
        ReleaseResult(build="b", before="b", parts=(), pages=0),
        ["No part of a registered page has changed; nothing is purged.", "The build is b."],
    ),
    "one": (
        ReleaseResult(build="b", before="a", parts=(("template", "x"),), pages=1),
        ["1 page is purged, because this has changed:", "  template x", "The build is b."],
    ),
    "two": (
        ReleaseResult(build="b", before="a", parts=(("a", "x"), ("b", "y")), pages=3),
        ["3 pages are purged, because these have changed:", "  a x", "  b y", "The build is b."],
    ),
    "everything": (
        ReleaseResult(build="b", before=None, parts=(), pages=0, everything="it is the first"),
        ["Everything is purged: it is the first.", "The build is b."],
    ),
    "an edge was removed": (
        ReleaseResult(build="b", before="b", parts=(), pages=0, retired=("cdn", "old")),
        [
            "No part of a registered page has changed; nothing is purged.",
            "Removed, because not in the settings: cdn, old.",
            "The build is b.",
        ],
    ),
}


@pytest.mark.parametrize(("result", "lines"), RELEASES.values(), ids=RELEASES)
def test_a_release_says_what_it_purges_and_why(result: ReleaseResult, lines: list[str]) -> None:
    """The build is named in each case."""
    assert list(result.to_lines()) == lines


def test_a_database_without_a_write_ahead_log_has_one_of_no_bytes(tmp_path: Path) -> None:
    """In memory, before the first write, and on PostgreSQL."""
    assert log_size(sa.create_engine("sqlite://")) == 0
    assert log_size(sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")) == 0
    (tmp_path / "a.db-wal").write_bytes(b"12345")
    assert log_size(sa.create_engine(f"sqlite:///{tmp_path / 'a.db'}")) == 5
    assert log_size(sa.create_engine("postgresql+psycopg:///a")) == 0
