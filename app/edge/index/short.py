"""Short-lived pages: errors, redirects and answers to queries, registered in groups.

All pages of a group were built from the same coarse dependencies. The group is a row of the page
table that holds them; each page is one row in one B-tree. So a client that asks for thousands of
unknown addresses writes one page of the file for each of them, instead of one for each dependency.
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

from ..reads.dependency import Part
from ..reads.encoding import whole
from ..reads.recorder import Record
from .bound import Bound
from .coarse import coarse_entries, entries_without_address
from .entries import Entries, Spot, digest
from .known import know_parts, know_shapes
from .page import FLEETING, LIFETIME, Affected, Page, Short, ShortKind
from .prepared import Prepared
from .tables import dependency, page, short_page

GROUP = "short-lived"
"""The variant of the page-table rows that stand for groups; no response has it."""

LONGER = timedelta(minutes=10)
"""A row outlives the last copy of its page by this, so that a popular page is written seldom."""

GROUP_LONGER = timedelta(hours=2)
"""A group outlives its pages by up to this, so that it is written seldom."""


RECOUNT = timedelta(seconds=1)
"""How soon the pages of a kind that has no room are counted again."""

_SHARE = 16


@dataclass(slots=True, kw_only=True)
class _Room:
    """The room of a kind when its pages were counted, and how many may be added until then."""

    bound: int
    room: int
    left: int
    at: datetime


_counts: WeakKeyDictionary[Engine, dict[ShortKind, _Room]] = WeakKeyDictionary()
"""What this process knows of each database; two threads at a time can only count too often."""


MAX_EXACT_GROUPS = 50
"""So many groups may have pages before new ones get coarse dependencies."""


def register_short(
    connection: Connection, response: Page, record: Record, bound: Bound | None
) -> bool:
    """Put a page into the group of its dependencies; False when its kind has no room left."""
    assert response.short is not None
    group_id = _find_group(connection, response, record)
    expires = whole(response.expires)
    place = (group_id, response.url, response.variant)
    rows = _MEMBER.rows(connection, *place)
    if rows and rows[0][0] >= expires:
        return True
    kind = response.short.kind
    if not rows and bound is not None and not _has_room(connection, kind, bound, response):
        return False
    times = (whole(response.registered), whole(response.expires + LONGER))
    _PUT.count(connection, *place, kind.value, response.policy, response.short.fleeting, *times)
    return True


def _has_room(connection: Connection, kind: ShortKind, bound: Bound, response: Page) -> bool:
    """Tell whether a kind has room for one page more.

    To count thousands of rows at each registration would cost more than the rest of it. So this
    process counts again after a sixteenth of the room that was left, and once a second when
    there was none. Other processes can exceed the bound by a sixteenth each.
    """
    counts = _counts.setdefault(connection.engine, {})
    known = counts.get(kind)
    stale = (
        known is None
        or known.bound != bound.aside
        or (known.left <= 0 and (known.room > 0 or response.registered - known.at >= RECOUNT))
    )
    if known is None or stale:
        room = bound.aside - count_short(connection, kind, most=bound.aside)
        left = max(room // _SHARE, 1) if room > 0 else 0
        known = counts[kind] = _Room(
            bound=bound.aside, room=room, left=left, at=response.registered
        )
    if known.left <= 0:
        return False
    known.left -= 1
    return True


def count_short(connection: Connection, kind: ShortKind, *, most: int) -> int:
    """How many pages of a kind are registered; counting stops at `most`."""
    found: int = _COUNT.rows(connection, kind.value, most)[0][0]
    return found


def members_of(connection: Connection, groups: Sequence[Affected]) -> tuple[Affected, ...]:
    """The pages of these groups."""
    by_id = {group.id: group for group in groups}
    rows = connection.execute(sa.select(short_page).where(short_page.c.group_id.in_(by_id)))
    return tuple(_member(row, by_id[row.group_id]) for row in rows)


def take_members(connection: Connection, groups: Iterable[int]) -> None:
    """Delete the pages of these groups; the caller queues their purge in this transaction."""
    listed = list(groups)
    if listed:
        connection.execute(sa.delete(short_page).where(short_page.c.group_id.in_(listed)))


def take_surplus(connection: Connection, bound: Bound, most: int) -> tuple[Affected, ...]:
    """Delete pages of kinds that exceed a lowered bound, and return them to be purged."""
    left: list[Affected] = []
    for kind in ShortKind:
        surplus = count_short(connection, kind, most=bound.aside + most) - bound.aside
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
        left += [_member(row, groups[row.group_id]) for row in rows if row.group_id in groups]
    return tuple(left)


def _groups_of(connection: Connection, ids: Iterable[int]) -> dict[int, Any]:
    """The rows of the page table that stand for these groups, by id."""
    query = sa.select(page.c.id, page.c.tag, page.c.site).where(page.c.id.in_(ids))
    return {row.id: row for row in connection.execute(query)}


def forget_expired(connection: Connection, before: int, most: int) -> int:
    """Delete pages that no cache holds any more; return how many."""
    over = sa.select(*_key).where(short_page.c.expires_at < before).limit(most)
    return connection.execute(sa.delete(short_page).where(sa.tuple_(*_key).in_(over))).rowcount


def _member(row: Any, group: Any) -> Affected:
    short = Short(kind=ShortKind(row.kind), fleeting=row.fleeting)
    lifetime = FLEETING if row.fleeting else LIFETIME
    # As gone: the row is deleted with this purge, so a later removal would not reach the page.
    return Affected(
        id=0, url=row.url, tag=group.tag, site=group.site, gone=True, short=short, lifetime=lifetime
    )


def _find_group(connection: Connection, response: Page, record: Record) -> int:
    """The id of the group with the dependencies and the site of a response; made when missing."""
    found = _shared_entries(connection, response, record)
    said = digest(sorted(found))
    name = _group_name(found, response.site)
    rows = _GROUP.rows(connection, name, GROUP)
    expires = whole(response.expires + LONGER)
    if rows:
        group_id, known, until = rows[0]
        if known != said:
            # A release has forgotten some of its parts: name them again.
            know_parts(connection, _parts(record))
        if known != said or until < expires:
            _PROLONG_GROUP.count(connection, said, _group_end(response.expires), group_id)
        return int(group_id)
    values = (name, GROUP, GROUP, response.group_tag, response.site, whole(response.registered))
    made = _ADD_GROUP.rows(connection, *values, _group_end(response.expires), said)
    if not made:  # another transaction has added it meanwhile, with its entries
        return int(_GROUP.rows(connection, name, GROUP)[0][0])
    _add_entries(connection, made[0][0], found)
    know_parts(connection, _parts(record))
    return int(made[0][0])


def _shared_entries(connection: Connection, response: Page, record: Record) -> Entries:
    """Return the dependencies that a response shares with others of its group.

    A search reads other rows for each query, so its dependencies are coarse. So are those of an
    error or a redirect in a new group while `MAX_EXACT_GROUPS` groups have pages: then the pages
    differ in more than their addresses. A change deletes the pages of the groups that it affects.
    """
    assert response.short is not None
    if response.short.kind is ShortKind.QUERY:
        return coarse_entries(record)
    exact = entries_without_address(record, response.url)
    if _GROUP.rows(connection, _group_name(exact, response.site), GROUP):
        return exact
    groups = _GROUPS_IN_USE.rows(connection, MAX_EXACT_GROUPS)[0][0]
    return exact if groups < MAX_EXACT_GROUPS else coarse_entries(record)


def _group_name(found: Entries, site: str) -> str:
    return digest(sorted(found)) + blake2b(site.encode(), digest_size=8).hexdigest()


def _group_end(expires: datetime) -> int | None:
    return whole(expires + LONGER + GROUP_LONGER)


def _parts(record: Record) -> Iterable[Part]:
    return (part for part in record.noted if isinstance(part, Part))


def _add_entries(connection: Connection, group_id: int, found: Entries) -> None:
    know_shapes(connection, found.values())
    spots: dict[tuple[int, int, int], Spot] = {spot[:3]: spot for spot in sorted(found)}
    _ADD_ENTRY.each(connection, [(group_id, *spot) for spot in spots.values()])


_key = (short_page.c.group_id, short_page.c.url, short_page.c.variant)
_PLACE = ("of_group", "of_url", "of_variant")
_this = tuple(column == sa.bindparam(name) for column, name in zip(_key, _PLACE, strict=True))
_MEMBER = Prepared(sa.select(short_page.c.expires_at).where(*_this), *_PLACE)
_COLUMNS = (
    *("group_id", "url", "variant", "kind", "policy", "fleeting"),
    *("registered_at", "expires_at"),
)
_PUT = Prepared(
    sa.text(
        f"INSERT INTO {short_page.name} ({', '.join(_COLUMNS)})"  # noqa: S608 - constant names
        f" VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
        " ON CONFLICT (group_id, url, variant) DO UPDATE"
        " SET registered_at = excluded.registered_at, expires_at = excluded.expires_at"
    ),
    *_COLUMNS,
)
_COUNT = Prepared(
    sa.text(
        "SELECT count(*) FROM (SELECT 1"  # noqa: S608 - a constant name
        f" FROM {short_page.name} WHERE kind = :of_kind LIMIT :most) AS counted"
    ),
    *("of_kind", "most"),
)
_GROUPS_IN_USE = Prepared(
    sa.text(
        "SELECT count(*) FROM (SELECT DISTINCT group_id"  # noqa: S608 - a constant name
        f" FROM {short_page.name} LIMIT :most) AS counted"
    ),
    "most",
)
_GROUP = Prepared(
    sa.select(page.c.id, page.c.digest, page.c.expires_at).where(
        page.c.url == sa.bindparam("of_url"), page.c.variant == sa.bindparam("of_variant")
    ),
    *("of_url", "of_variant"),
)
_PROLONG_GROUP = Prepared(
    sa.update(page)
    .where(page.c.id == sa.bindparam("of_id"))
    .values(digest=sa.bindparam("digest"), expires_at=sa.bindparam("until")),
    *("digest", "until", "of_id"),
)
_GROUP_COLUMNS = (
    *("url", "variant", "policy", "tag", "site"),
    *("registered_at", "expires_at", "digest"),
)
_ADD_GROUP = Prepared(
    sa.text(
        f"INSERT INTO {page.name} (etag, {', '.join(_GROUP_COLUMNS)})"  # noqa: S608 - as above
        f" VALUES ('', {', '.join(f':{name}' for name in _GROUP_COLUMNS)})"
        " ON CONFLICT (url, variant) DO NOTHING RETURNING id"
    ),
    *_GROUP_COLUMNS,
)
_ENTRY = ("page_id", "hash", "node", "low", "high")
_ADD_ENTRY = Prepared(
    sa.insert(dependency).inline().values({name: sa.bindparam(name) for name in _ENTRY}), *_ENTRY
)
