"""From changes to pages: joined in SQL, so that the cost grows with what is affected.

Call it in a transaction of its own, that holds SQLite's write lock from its beginning; what it
returns must be put into the outbox before that transaction commits.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.change import Change, Op
from ..changes.encoding import encode_value
from ..changes.log import take_unresolved, unresolved_changes
from .dependency_shape import DependencyShape, SemiJoinShape
from .interval_tree import nodes_containing, to_tree_key
from .joined_rows import JoinedRows
from .page import AffectedPage
from .precision import set_purged
from .removals import find_removal_lookups
from .resolver_lock import acquire_resolver_lock
from .short_lived import GROUP, members_of, take_members
from .tables import dependency, page
from .tables import shape as shape_table

MOST_CHANGES = 2_000
"""With more unresolved changes than this (a bulk import), everything is purged."""

MAX_LOOKUPS = 20_000
"""With more probes than this, everything is purged."""

_CHUNK = 400

_URL_TABLE = "edge:url"
"""No table: under this name the log holds what a person asked to purge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What some changes touch: pages, or everything, and why; `since` the first was written."""

    change_count: int = 0
    pages: tuple[AffectedPage, ...] = ()
    groups: tuple[int, ...] = ()
    """The groups whose short-lived pages are among `pages`."""
    everything_reason: str = ""
    first_written_at: datetime | None = None


def resolve(connection: Connection) -> Resolution:
    """Take every unresolved change from the log and say which pages may now differ."""
    acquire_resolver_lock(connection)
    found = take_unresolved(connection, limit=MOST_CHANGES)
    if not found:
        return Resolution()
    since = min(filter(None, map(_written, found)), default=None)
    if len(found) > MOST_CHANGES:
        many = "more changes than are told apart"
        return Resolution(change_count=len(found), everything_reason=many, first_written_at=since)
    resolution = _affected(connection, found)
    take_members(connection, resolution.groups)
    for chunk in _chunks([one.id for one in resolution.pages if one.id]):
        set_purged(connection, chunk)
    return replace(resolution, first_written_at=since)


def _written(change: Change) -> datetime | None:
    """When a row was written; what an installation says may wait for the first process."""
    return None if change.op is Op.EVERYTHING else change.written_at


def find_affected_pages(connection: Connection, changes: Iterable[Change]) -> Resolution:
    """Say which pages these changes would touch; nothing is written."""
    return _affected(connection, list(changes))


def _affected(connection: Connection, changes: list[Change]) -> Resolution:
    coarse = next((c for c in changes if c.op in {Op.EVERYTHING, Op.TRUNCATE}), None)
    if coarse is not None:
        what = "anything" if coarse.op is Op.EVERYTHING else f"the whole of {coarse.table}"
        return Resolution(change_count=len(changes), everything_reason=f"{what} may have changed")
    requested = _requested(connection, changes)
    shapes = _load_shapes(connection, {c.table for c in changes})
    others = _load_joined_rows(connection, shapes, changes)
    probes = _build_lookups(shapes, changes, others)
    if probes is None:
        return Resolution(
            change_count=len(changes), everything_reason="a change could not be told apart"
        )
    if sum(map(len, probes.values())) > MAX_LOOKUPS:
        return Resolution(
            change_count=len(changes), everything_reason="more probes than are asked one by one"
        )
    gone = set(_find_page_ids(connection, find_removal_lookups(shapes, changes, others)))
    pages, groups = _load_pages(connection, probes)
    members = members_of(connection, groups)
    pages = tuple(replace(page, hard_purge=page.id in gone) for page in pages)
    return Resolution(
        change_count=len(changes),
        pages=(*pages, *members, *requested),
        groups=tuple(group.id for group in groups),
    )


def manual_purge_change(url: str, tag: str, site: str = "") -> Change:
    """The entry of the change log by which a person purges one URL, registered or not."""
    return Change(table=_URL_TABLE, op=Op.DELETE, old={"url": url, "tag": tag, "site": site})


def _requested(connection: Connection, changes: Iterable[Change]) -> tuple[AffectedPage, ...]:
    """The pages that a person purges by URL, with the sites and tags that they are registered with.

    Only a URL without a registered page is purged with what the process of that person says of
    it: its settings may be other ones than those of the site.
    """
    requests = {c.old["url"]: c.old for c in changes if c.table == _URL_TABLE and c.old}
    found: set[AffectedPage] = set()
    for url, request in sorted(requests.items()):
        query = sa.select(page.c.url, page.c.tag, page.c.site).where(page.c.url == url).distinct()
        rows = connection.execute(query).all()
        found |= {
            AffectedPage(id=0, url=url, tag=r.tag, site=r.site, hard_purge=True) for r in rows
        }
        if not rows:
            site = request.get("site") or ""
            found.add(AffectedPage(id=0, url=url, tag=request["tag"], site=site, hard_purge=True))
    return tuple(sorted(found, key=lambda one: (one.url, one.site, one.tag)))


def _load_shapes(connection: Connection, tables: set[str]) -> dict[str, list[DependencyShape]]:
    rows = connection.execute(sa.select(shape_table).where(shape_table.c.of_table.in_(tables)))
    found: dict[str, list[DependencyShape]] = defaultdict(list)
    for row in rows:
        found[row.of_table].append(
            DependencyShape(
                kind=row.kind,
                table=row.of_table,
                columns=tuple(json.loads(row.columns)),
                equality_columns=tuple(json.loads(row.equal)),
                sort_column=row.sort,
                semi_join=SemiJoinShape.from_list(json.loads(row.via)),
            ),
        )
    return found


def _load_joined_rows(
    connection: Connection, shapes: dict[str, list[DependencyShape]], changes: list[Change]
) -> JoinedRows:
    """The other rows of every changed row, for the shapes that ask for one."""
    keys: dict[SemiJoinShape, set[str]] = defaultdict(set)
    for change in changes:
        for shape in shapes.get(change.table, ()):
            if shape.semi_join and shape.may_match(change):
                found = (
                    encode_value(image.get(shape.semi_join.own_column)) for image in change.images
                )
                keys[shape.semi_join] |= {key for key in found if key is not None}
    others = JoinedRows(connection)
    for through, wanted in keys.items():
        others.load(through, wanted)
    if keys:
        # After the look-ups: PostgreSQL may have shown them what was committed after `changes`.
        others.add_changes((*changes, *unresolved_changes(connection, limit=MOST_CHANGES)))
    return others


def _build_lookups(
    shapes: dict[str, list[DependencyShape]], changes: Iterable[Change], others: JoinedRows
) -> dict[int, set[int | None]] | None:
    """The sort keys to ask for under each hash; None among them asks for every interval."""
    if others.has_incomplete_image:
        return None
    probes: dict[int, set[int | None]] = defaultdict(set)
    for change in changes:
        for shape in shapes.get(change.table, ()):
            if not shape.may_match(change):
                continue
            for probe in shape.lookups(change, others):
                if probe is None:
                    return None
                probes[probe[0]].add(probe[1])
    return probes


def _load_pages(
    connection: Connection, probes: dict[int, set[int | None]]
) -> tuple[tuple[AffectedPage, ...], tuple[AffectedPage, ...]]:
    """The pages that have any of these dependencies, and the groups of short-lived pages."""
    ids = set(_find_page_ids(connection, probes))
    found: list[AffectedPage] = []
    groups: list[AffectedPage] = []
    columns = (*page.c["id", "url", "tag", "site"], page.c.variant, page.c.lifetime)
    for chunk in _chunks(sorted(ids)):
        for row in connection.execute(sa.select(*columns).where(page.c.id.in_(chunk))):
            kind = groups if row.variant == GROUP else found
            lifetime = span(row.lifetime)
            kind.append(
                AffectedPage(id=row.id, url=row.url, tag=row.tag, site=row.site, lifetime=lifetime)
            )
    return tuple(found), tuple(groups)


def _find_page_ids(connection: Connection, probes: dict[int, set[int | None]]) -> Iterator[int]:
    plain = sorted(hashed for hashed, keys in probes.items() if None in keys)
    for chunk in _chunks(plain):
        yield from connection.scalars(
            sa.select(dependency.c.page_id).where(dependency.c.hash.in_(chunk)),
        )
    for hashed, keys in probes.items():
        for key in keys if None not in keys else ():
            yield from connection.scalars(_select_containing(hashed, key or 0))


def _select_containing(hashed: int, key: int) -> sa.Select[Any]:
    at = to_tree_key(key)
    return sa.select(dependency.c.page_id).where(
        dependency.c.hash == hashed,
        dependency.c.node.in_(sorted(set(nodes_containing(key)))),
        dependency.c.low <= at,
        dependency.c.high >= at,
    )


def span(microseconds: int) -> timedelta:
    """A span as the tables hold it."""
    return timedelta(microseconds=microseconds)


def _chunks(values: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
