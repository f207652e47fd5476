"""Short-lived pages: errors and responses to queries, registered in groups.

All pages of a group have the same coarse dependencies. The group is a row of the page table that
holds these dependencies; each page is one row in one B-tree. So a client that requests thousands of
unknown URLs dirties one page of the file for each of them, instead of one for each dependency.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from ..changes.encoding import sort_key_value
from ..changes.prepared_statement import PreparedStatement
from ..dependencies.part import Part
from ..dependencies.recorder import RenderRecord
from .capacity import IndexCapacity
from .coarse_dependencies import coarse_entries, entries_without_address
from .index_entries import EntryKey, EntryShapes, digest_of_entries
from .page import FLEETING, LIFETIME, AffectedPage, IndexedPage, Short, ShortKind
from .reference_tables import ensure_parts, ensure_shapes
from .tables import dependency, page, short_page

GROUP = "short-lived"
"""The variant of page-table rows that represent groups; no response has it."""

EXTRA_LIFETIME = timedelta(minutes=10)
"""A row outlives the last copy of its page by this, so that a popular page is rarely written."""

GROUP_EXTRA_LIFETIME = timedelta(hours=2)
"""A group outlives its pages by up to this, so that it is rarely written."""


RECOUNT = timedelta(seconds=1)
"""How soon the pages of a kind are counted again after its limit was reached."""

_SHARE = 16


@dataclass(slots=True, kw_only=True)
class _KindRoom:
    """The free rows of a kind at the last count, and how many may be added until the next count."""

    limit: int
    room: int
    remaining: int
    at: datetime


_counts: WeakKeyDictionary[Engine, dict[ShortKind, _KindRoom]] = WeakKeyDictionary()
"""The last counts of this process, by engine; concurrent threads can only count too often."""


MAX_EXACT_GROUPS = 50
"""So many groups may have pages before new ones get coarse dependencies."""


def register_short(
    connection: Connection,
    response: IndexedPage,
    record: RenderRecord,
    capacity: IndexCapacity | None,
) -> bool:
    """Register a page in the group of its dependencies; return False if its kind has no room."""
    assert response.short is not None
    group_id = _find_group(connection, response, record)
    expires = sort_key_value(response.expires_at)
    primary_key = (group_id, response.url, response.variant)
    rows = _MEMBER.fetch_all(connection, *primary_key)
    if rows and rows[0][0] >= expires:
        return True
    kind = response.short.kind
    if not rows and capacity is not None and not _has_room(connection, kind, capacity, response):
        return False
    times = (
        sort_key_value(response.registered_at),
        sort_key_value(response.expires_at + EXTRA_LIFETIME),
    )
    _PUT.execute(
        connection, *primary_key, kind.value, response.policy, response.short.fleeting, *times
    )
    return True


def _has_room(
    connection: Connection, kind: ShortKind, capacity: IndexCapacity, response: IndexedPage
) -> bool:
    """Return whether a kind has room for one more page.

    Counting thousands of rows at each registration would cost more than the registration. So this
    process counts again after it has used a sixteenth of the free rows, and once a second while
    there are none. Each other process can exceed the limit by a sixteenth.
    """
    counts = _counts.setdefault(connection.engine, {})
    kind_room = counts.get(kind)
    stale = (
        kind_room is None
        or kind_room.limit != capacity.max_open_ended
        or (
            kind_room.remaining <= 0
            and (kind_room.room > 0 or abs(response.registered_at - kind_room.at) >= RECOUNT)
        )
    )
    if kind_room is None or stale:
        room = capacity.max_open_ended - count_short(connection, kind, most=capacity.max_open_ended)
        remaining = max(room // _SHARE, 1) if room > 0 else 0
        kind_room = counts[kind] = _KindRoom(
            limit=capacity.max_open_ended, room=room, remaining=remaining, at=response.registered_at
        )
    if kind_room.remaining <= 0:
        return False
    kind_room.remaining -= 1
    return True


def count_short(connection: Connection, kind: ShortKind, *, most: int) -> int:
    """Return how many pages of a kind are registered; counting stops at `most`."""
    count: int = _COUNT.fetch_all(connection, kind.value, most)[0][0]
    return count


def members_of(connection: Connection, groups: Sequence[AffectedPage]) -> tuple[AffectedPage, ...]:
    """Return the pages of these groups."""
    by_id = {group.id: group for group in groups}
    rows = connection.execute(sa.select(short_page).where(short_page.c.group_id.in_(by_id)))
    return tuple(_member(row, by_id[row.group_id]) for row in rows)


def delete_members(connection: Connection, groups: Iterable[int]) -> None:
    """Delete the pages of these groups; the caller queues their purge in this transaction."""
    listed = list(groups)
    if listed:
        connection.execute(sa.delete(short_page).where(short_page.c.group_id.in_(listed)))


def take_surplus(
    connection: Connection, capacity: IndexCapacity, most: int
) -> tuple[AffectedPage, ...]:
    """Delete pages of kinds that exceed a lowered limit; the caller must purge the result."""
    pages: list[AffectedPage] = []
    for kind in ShortKind:
        surplus = (
            count_short(connection, kind, most=capacity.max_open_ended + most)
            - capacity.max_open_ended
        )
        if surplus <= 0:
            continue
        oldest = (
            sa.select(*_key)
            .where(short_page.c.kind == kind.value)
            .order_by(short_page.c.expires_at)
            .limit(surplus)
        )
        rows = connection.execute(
            sa.delete(short_page).where(sa.tuple_(*_key).in_(oldest)).returning(short_page)
        ).all()
        groups = _groups_of(connection, {row.group_id for row in rows})
        pages += [_member(row, groups[row.group_id]) for row in rows if row.group_id in groups]
    return tuple(pages)


def _groups_of(connection: Connection, ids: Iterable[int]) -> dict[int, Any]:
    """Return the rows of the page table that represent these groups, by id."""
    query = sa.select(page.c.id, page.c.tag, page.c.site).where(page.c.id.in_(ids))
    return {row.id: row for row in connection.execute(query)}


def forget_expired(connection: Connection, before: int, most: int) -> int:
    """Delete pages that no cache can hold; return how many."""
    over = sa.select(*_key).where(short_page.c.expires_at < before).limit(most)
    return connection.execute(sa.delete(short_page).where(sa.tuple_(*_key).in_(over))).rowcount


def _member(row: Any, group: Any) -> AffectedPage:
    short = Short(kind=ShortKind(row.kind), fleeting=row.fleeting)
    lifetime = FLEETING if row.fleeting else LIFETIME
    # Hard, because the row is deleted with this purge: a later removal would not find the page.
    return AffectedPage(
        id=0,
        url=row.url,
        tag=group.tag,
        site=group.site,
        hard_purge=True,
        short=short,
        lifetime=lifetime,
    )


def _find_group(connection: Connection, response: IndexedPage, record: RenderRecord) -> int:
    """Return the id of the group of a response, by dependencies and site; create it if missing."""
    entries = _shared_entries(connection, response, record)
    digest = digest_of_entries(sorted(entries))
    name = _group_name(entries, response.site)
    rows = _GROUP.fetch_all(connection, name, GROUP)
    expires = sort_key_value(response.expires_at + EXTRA_LIFETIME)
    if rows:
        group_id, stored_digest, until = rows[0]
        if stored_digest != digest:
            # A release has deleted some of its parts: insert them again.
            ensure_parts(connection, _parts(record))
        if stored_digest != digest or until < expires:
            _PROLONG_GROUP.execute(connection, digest, _group_end(response.expires_at), group_id)
        return int(group_id)
    values = (
        name,
        GROUP,
        GROUP,
        response.group_tag,
        response.site,
        sort_key_value(response.registered_at),
    )
    new_rows = _ADD_GROUP.fetch_all(connection, *values, _group_end(response.expires_at), digest)
    if not new_rows:  # another transaction has inserted it in between, with its entries
        return int(_GROUP.fetch_all(connection, name, GROUP)[0][0])
    _add_entries(connection, new_rows[0][0], entries)
    ensure_parts(connection, _parts(record))
    return int(new_rows[0][0])


def _shared_entries(
    connection: Connection, response: IndexedPage, record: RenderRecord
) -> EntryShapes:
    """Return the index entries that a response shares with its group.

    A search reads different rows for each query, so its dependencies are coarse. So are those of an
    error in a new group while `MAX_EXACT_GROUPS` groups have pages: then the pages differ in more
    than their URLs. A change deletes the pages of the groups that it affects.
    """
    assert response.short is not None
    if response.short.kind is ShortKind.QUERY:
        return coarse_entries(record)
    exact = entries_without_address(record, response.url)
    if _GROUP.fetch_all(connection, _group_name(exact, response.site), GROUP):
        return exact
    group_count = _GROUPS_IN_USE.fetch_all(connection, MAX_EXACT_GROUPS)[0][0]
    return exact if group_count < MAX_EXACT_GROUPS else coarse_entries(record)


def _group_name(entries: EntryShapes, site: str) -> str:
    site_digest = blake2b(site.encode(), digest_size=8).hexdigest()
    return digest_of_entries(sorted(entries)) + site_digest


def _group_end(expires: datetime) -> int | None:
    return sort_key_value(expires + EXTRA_LIFETIME + GROUP_EXTRA_LIFETIME)


def _parts(record: RenderRecord) -> Iterable[Part]:
    return (part for part in record.single_dependencies if isinstance(part, Part))


def _add_entries(connection: Connection, group_id: int, entries: EntryShapes) -> None:
    ensure_shapes(connection, entries.values())
    keys: dict[tuple[int, int, int], EntryKey] = {key[:3]: key for key in sorted(entries)}
    _ADD_ENTRY.execute_many(connection, [(group_id, *key) for key in keys.values()])


_key = (short_page.c.group_id, short_page.c.url, short_page.c.variant)
_PLACE = ("of_group", "of_url", "of_variant")
_this = tuple(column == sa.bindparam(name) for column, name in zip(_key, _PLACE, strict=True))
_MEMBER = PreparedStatement(sa.select(short_page.c.expires_at).where(*_this), *_PLACE)
_COLUMNS = (
    *("group_id", "url", "variant", "kind", "policy", "fleeting"),
    *("registered_at", "expires_at"),
)
_PUT = PreparedStatement(
    sa.text(
        f"INSERT INTO {short_page.name} ({', '.join(_COLUMNS)})"  # noqa: S608 - constant names
        f" VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
        " ON CONFLICT (group_id, url, variant) DO UPDATE"
        " SET registered_at = excluded.registered_at, expires_at = excluded.expires_at"
    ),
    *_COLUMNS,
)
_COUNT = PreparedStatement(
    sa.text(
        "SELECT count(*) FROM (SELECT 1"  # noqa: S608 - a constant name
        f" FROM {short_page.name} WHERE kind = :of_kind LIMIT :most) AS counted"
    ),
    *("of_kind", "most"),
)
_GROUPS_IN_USE = PreparedStatement(
    sa.text(
        "SELECT count(*) FROM (SELECT DISTINCT group_id"  # noqa: S608 - a constant name
        f" FROM {short_page.name} LIMIT :most) AS counted"
    ),
    "most",
)
_GROUP = PreparedStatement(
    sa.select(page.c.id, page.c.digest, page.c.expires_at).where(
        page.c.url == sa.bindparam("of_url"), page.c.variant == sa.bindparam("of_variant")
    ),
    *("of_url", "of_variant"),
)
_PROLONG_GROUP = PreparedStatement(
    sa.update(page)
    .where(page.c.id == sa.bindparam("of_id"))
    .values(digest=sa.bindparam("digest"), expires_at=sa.bindparam("until")),
    *("digest", "until", "of_id"),
)
_GROUP_COLUMNS = (
    *("url", "variant", "policy", "tag", "site"),
    *("registered_at", "expires_at", "digest"),
)
_ADD_GROUP = PreparedStatement(
    sa.text(
        f"INSERT INTO {page.name} (etag, {', '.join(_GROUP_COLUMNS)})"  # noqa: S608 - as above
        f" VALUES ('', {', '.join(f':{name}' for name in _GROUP_COLUMNS)})"
        " ON CONFLICT (url, variant) DO NOTHING RETURNING id"
    ),
    *_GROUP_COLUMNS,
)
_ENTRY = ("page_id", "hash", "node", "low", "high")
_ADD_ENTRY = PreparedStatement(
    sa.insert(dependency).inline().values({name: sa.bindparam(name) for name in _ENTRY}), *_ENTRY
)
