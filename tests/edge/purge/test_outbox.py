"""How purges are queued: what joins an entry, what gets a new one, what becomes everything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.edge.pages import Resolution
from app.edge.pages.page import AffectedPage, Short, ShortKind
from app.edge.purge import EntryState, Tier
from app.edge.purge.entry_state import EntryKind
from app.edge.purge.outbox import (
    coalesce_backlog,
    enqueue_everything,
    enqueue_resolution,
    notify_relays,
    resolve_and_enqueue,
)

from .conftest import CDN, GATEWAY, NOW
from .rows import AT, SECOND, add_entry, get_entries, get_entry, open_memory

LATER = NOW + timedelta(seconds=5)
OTHER = Tier(name="other", depth=1)


@pytest.fixture
def connection() -> Iterator[Connection]:
    """A database in memory."""
    with open_memory() as connection:
        yield connection


def page(url: str, *, site: str = "", hard: bool = False) -> AffectedPage:
    """Return a page that a change affects."""
    return AffectedPage(id=1, url=url, tag=f"tag-{url}", site=site, hard_purge=hard)


def enqueue(
    connection: Connection, *pages: AffectedPage, tiers: tuple[Tier, ...] = (CDN,), count: int = 1
) -> None:
    """Queue the purge of pages at LATER."""
    enqueue_resolution(connection, Resolution(change_count=count, pages=pages), tiers, LATER)


def test_a_new_entry_waits_for_all_earlier_ones(connection: Connection) -> None:
    """It is due at once, with a second purge if stale responses can be on their way."""
    add_entry(connection, "/x", id=40)
    enqueue(connection, page("/a", site="https://a.example"), tiers=(CDN, GATEWAY), count=3)
    _, inner, outer = get_entries(connection)
    assert (inner.tier, inner.depth, inner.again, inner.upto) == ("gateway", 0, False, 40)
    assert (outer.tier, outer.depth, outer.again, outer.upto) == ("cdn", 1, True, inner.id)
    for row in (inner, outer):
        assert (row.url, row.tag, row.site) == ("/a", "tag-/a", "https://a.example")
        assert (row.kind, row.state, row.cause) == ("page", "pending", "3 changes")
        assert (row.due_at, row.enqueued_at) == (AT + 5 * SECOND, AT + 5 * SECOND)


@pytest.mark.parametrize(("count", "cause"), [(1, "1 change"), (2, "2 changes")])
def test_the_cause_counts_the_changes(connection: Connection, count: int, cause: str) -> None:
    """It is shown with the purge."""
    enqueue(connection, page("/a"), count=count)
    assert [row.cause for row in get_entries(connection)] == [cause]


JOINS = {
    "a pending entry": ({}, True),
    "a pending entry that failed": ({"attempts": 3, "last_error": "x"}, True),
    "a claimed entry": ({"state": EntryState.CLAIMED}, False),
    "a sent entry": ({"state": EntryState.SENT, "sent_at": AT}, False),
    "a settled entry": ({"state": EntryState.SETTLED}, False),
    "a dead letter": ({"state": EntryState.DEAD}, False),
    "another page": ({"url": "/b"}, False),
    "the page of another site": ({"site": "https://b.example"}, False),
    "the entry of another tier": ({"tier": OTHER}, False),
}


@pytest.mark.parametrize(("values", "joins"), JOINS.values(), ids=JOINS)
def test_a_change_joins_a_pending_entry_of_its_page(
    connection: Connection, values: dict[str, Any], joins: bool
) -> None:
    """A joined entry waits for later entries and keeps its age; any other stays as it is."""
    entry_id = add_entry(connection, **{"url": "/a", **values})
    add_entry(connection, "/x", tier=GATEWAY, id=40)
    before = get_entry(connection, entry_id)
    enqueue(connection, page("/a"))
    after = get_entry(connection, entry_id)
    assert len(get_entries(connection)) == (2 if joins else 3)
    assert after.upto == (40 if joins else before.upto)
    assert (after.enqueued_at, after.due_at) == (before.enqueued_at, before.due_at)


HARDNESS = [(False, False, False), (False, True, True), (True, False, True), (True, True, True)]


@pytest.mark.parametrize(("old", "new", "both"), HARDNESS)
def test_a_joined_purge_is_hard_if_one_of_the_two_is(
    connection: Connection, old: bool, new: bool, both: bool
) -> None:
    """A later change does not bring removed content back; other pages of the change stay soft."""
    entry_id = add_entry(connection, gone=old)
    enqueue(connection, page("/a", hard=new), page("/b", hard=not new))
    assert get_entry(connection, entry_id).gone == both
    assert get_entries(connection)[-1].gone == (not new)


EXTENDS = {
    "pending, not attempted": ({}, True),
    "pending, attempted": ({"attempts": 1}, False),
    "claimed": ({"state": EntryState.CLAIMED}, False),
    "sent": ({"state": EntryState.SENT, "sent_at": AT}, False),
    "of another tier": ({"tier": OTHER}, False),
}


@pytest.mark.parametrize(("values", "extends"), EXTENDS.values(), ids=EXTENDS)
def test_pages_join_a_pending_purge_of_everything_that_was_never_attempted(
    connection: Connection, values: dict[str, Any], extends: bool
) -> None:
    """A purge of everything that fails must not keep pages waiting."""
    entry_id = add_entry(connection, "", **values)
    add_entry(connection, "/x", tier=GATEWAY, id=40)
    enqueue(connection, page("/a"))
    assert get_entry(connection, entry_id).upto == (40 if extends else 0)
    assert [row.url for row in get_entries(connection)][2:] == ([] if extends else ["/a"])


def test_a_purge_of_everything_replaces_pending_pages(connection: Connection) -> None:
    """It keeps the lowest of their ids and the earliest of their times."""
    add_entry(connection, "/a", id=5, enqueued_at=AT - 3)
    add_entry(connection, "/b", id=6, enqueued_at=AT - 9)
    remaining_rows = [
        add_entry(connection, "/c", id=7, state=EntryState.CLAIMED),
        add_entry(connection, "/d", id=8, state=EntryState.SENT),
        add_entry(connection, "/e", id=9, tier=OTHER),
    ]
    enqueue_everything(connection, CDN, "why", LATER)
    rows = get_entries(connection)
    everything = rows[-1]
    assert [row.id for row in rows[:-1]] == remaining_rows
    assert (everything.kind, everything.url, everything.cause) == ("everything", "", "why")
    assert (everything.origin, everything.upto, everything.enqueued_at) == (5, 9, AT - 9)
    assert (everything.due_at, everything.again) == (AT + 5 * SECOND, True)


def test_a_purge_of_everything_that_replaces_nothing_has_no_origin(connection: Connection) -> None:
    """It waits from now on."""
    enqueue_everything(connection, CDN, "why", LATER)
    (row,) = get_entries(connection)
    assert (row.origin, row.upto, row.enqueued_at) == (None, 0, AT + 5 * SECOND)


ORIGINS = {
    "none, and no page": (None, None, None),
    "none, and an earlier page": (None, 20, 20),
    "none, and a later page": (None, 90, 60),
    "an earlier origin": (10, 20, 10),
    "a later origin": (30, 20, 20),
    "an origin, and no page": (30, None, 30),
}


@pytest.mark.parametrize(("origin", "page_id", "result"), ORIGINS.values(), ids=ORIGINS)
@pytest.mark.parametrize("attempts", [0, 2])
def test_two_purges_of_everything_keep_the_earlier_origin(
    connection: Connection,
    origin: int | None,
    page_id: int | None,
    result: int | None,
    attempts: int,
) -> None:
    """Outer tiers wait for the earliest entry that the purge replaces."""
    add_entry(connection, "/x", tier=GATEWAY, id=99)
    entry_id = add_entry(connection, "", id=60, origin=origin, attempts=attempts)
    if page_id is not None:
        add_entry(connection, "/a", id=page_id)
    enqueue_everything(connection, CDN, "again", LATER)
    rows = [row for row in get_entries(connection) if row.tier == CDN.name]
    assert [row.id for row in rows] == [entry_id]
    assert (rows[0].origin, rows[0].upto, rows[0].enqueued_at) == (result, 99, AT)


@pytest.mark.parametrize("state", [EntryState.CLAIMED, EntryState.SENT, EntryState.SETTLED])
def test_a_purge_of_everything_that_may_have_been_sent_is_not_extended(
    connection: Connection, state: EntryState
) -> None:
    """A change after it needs another one."""
    add_entry(connection, "", state=state)
    enqueue_everything(connection, CDN, "again", LATER)
    assert [row.state for row in get_entries(connection)] == [state, EntryState.PENDING]


@pytest.mark.parametrize(("pending", "is_coalesced"), [(2, False), (3, True)])
def test_more_pending_pages_than_the_backlog_become_one_purge(
    connection: Connection, pending: int, is_coalesced: bool
) -> None:
    """The bound itself is allowed; entries in other states and of other tiers do not count."""
    tier = replace(CDN, max_backlog=2)
    for number in range(pending):
        add_entry(connection, f"/{number}")
    add_entry(connection, "/sent", state=EntryState.SENT)
    add_entry(connection, "/other", tier=OTHER)
    assert coalesce_backlog(connection, tier, NOW) == is_coalesced
    rows = [row for row in get_entries(connection) if row.state == EntryState.PENDING]
    everything = [row for row in rows if row.kind == EntryKind.EVERYTHING]
    assert [row.cause for row in everything] == ["3 pages were waiting to be purged"] * is_coalesced


def test_a_resolution_of_everything_is_queued_for_every_tier(connection: Connection) -> None:
    """Its reason is the cause; the pages get no entries."""
    resolution = Resolution(change_count=1, pages=(page("/a"),), everything_reason="a column")
    enqueue_resolution(connection, resolution, (CDN, GATEWAY), NOW)
    rows = get_entries(connection)
    assert [(row.tier, row.kind, row.cause) for row in rows] == [
        ("gateway", "everything", "a column"),
        ("cdn", "everything", "a column"),
    ]
    enqueue_resolution(connection, Resolution(change_count=9), (CDN, GATEWAY), NOW)
    assert get_entries(connection) == rows


def test_pages_that_an_edge_lets_expire_are_not_queued_for_it(connection: Connection) -> None:
    """A page with the lifetime itself expires; one that lives a microsecond longer is purged."""
    lifetime = timedelta(minutes=1)
    edge = Tier(name="edge", depth=1, ignored_lifetime=lifetime, by_url=True)
    brief = replace(page("/brief"), lifetime=lifetime)
    long = replace(page("/long"), lifetime=lifetime + timedelta(microseconds=1))
    short = Short(kind=ShortKind.QUERY)
    queries = (replace(brief, url="/q?1", short=short), replace(long, url="/q?2", short=short))
    enqueue(connection, brief, long, page("/a"), *queries, tiers=(edge,))
    assert sorted(row.url for row in get_entries(connection)) == ["/a", "/long", "/q?2"]


def test_short_lived_pages_share_an_entry_at_an_edge_that_is_purged_by_tag(
    connection: Connection,
) -> None:
    """They are purged hard; an edge that is purged by URL gets an entry for each, or none."""
    short = Short(kind=ShortKind.QUERY)
    queries = [replace(page(f"/q?{n}"), tag="queries", short=short) for n in range(3)]
    enqueue(connection, page("/a"), *queries)
    single, result = get_entries(connection)
    assert (single.url, single.gone) == ("/a", False)
    assert (result.url, result.tag, result.gone) == ("/q?0\n/q?1\n/q?2", "queries", True)


def test_relays_of_other_processes_are_woken_when_the_transaction_commits() -> None:
    """PostgreSQL notifies them; SQLite has no such message."""
    statements: list[str] = []

    def record(sql: sa.Executable, *_: object, **__: object) -> None:
        statements.append(str(sql))

    for name in ("postgresql", "sqlite"):
        engine = sa.create_mock_engine(f"{name}://", record)
        engine.exec_driver_sql = record  # type: ignore[attr-defined]  # as on a connection
        notify_relays(engine)  # type: ignore[arg-type]  # it records statements
    assert statements == ["NOTIFY edge_relay"]


def test_everything_is_purged_even_if_no_page_is_named(connection: Connection) -> None:
    """The given cause is shown instead of the counted changes."""
    resolution = Resolution(everything_reason="a column")
    enqueue_resolution(connection, resolution, (CDN,), NOW, cause="a release")
    assert [(row.kind, row.cause) for row in get_entries(connection)] == [
        ("everything", "a release")
    ]


def test_a_backlog_is_coalesced_when_it_is_queued(connection: Connection) -> None:
    """It does not wait for the next maintenance."""
    enqueue(connection, page("/a"), page("/b"), tiers=(replace(CDN, max_backlog=1),))
    assert [row.kind for row in get_entries(connection)] == ["everything"]


def test_new_entries_wake_the_relays(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each resolution with pages."""
    calls: list[Connection] = []
    monkeypatch.setattr("app.edge.purge.outbox.notify_relays", calls.append)
    enqueue(connection, page("/a"), page("/b"), tiers=(CDN, GATEWAY))
    assert calls == [connection]


def test_new_entries_hold_the_time_of_the_first_change(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Entries of earlier resolutions keep theirs."""
    earlier = [add_entry(connection, "/x", written_at=1), add_entry(connection, "/y")]
    resolution = Resolution(change_count=1, pages=(page("/a"),), first_written_at=NOW)
    monkeypatch.setattr("app.edge.purge.outbox.resolve", lambda _connection: resolution)
    assert resolve_and_enqueue(connection, (CDN, GATEWAY), LATER) is resolution
    assert [get_entry(connection, entry_id).written_at for entry_id in earlier] == [1, None]
    assert [row.written_at for row in get_entries(connection)[2:]] == [AT, AT]
