"""Resolve changes to pages in SQL, at a cost that grows with the number of affected pages.

Call it in its own transaction, which must hold SQLite's write lock from its beginning. The result
must be put into the outbox before that transaction commits.
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
from .short_lived import GROUP, delete_members, members_of
from .tables import dependency, page
from .tables import shape as shape_table

MAX_CHANGES = 2_000
"""With more unresolved changes than this (a bulk import), everything is purged."""

MAX_LOOKUPS = 20_000
"""With more lookups than this, everything is purged."""

_CHUNK = 400

_URL_TABLE = "edge:url"
"""Not a real table: the name under which the log holds URLs that a person purges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """The pages that changes affect, or the reason why they affect everything.

    `first_written_at` is the time of the first write.
    """

    change_count: int = 0
    pages: tuple[AffectedPage, ...] = ()
    groups: tuple[int, ...] = ()
    """The groups whose short-lived pages are among `pages`."""
    everything_reason: str = ""
    first_written_at: datetime | None = None


def resolve(connection: Connection) -> Resolution:
    """Take every unresolved change from the log and return the affected pages."""
    acquire_resolver_lock(connection)
    changes = take_unresolved(connection, limit=MAX_CHANGES)
    if not changes:
        return Resolution()
    since = min(filter(None, map(_written_at, changes)), default=None)
    if len(changes) > MAX_CHANGES:
        many = "too many changes to compare one by one"
        return Resolution(change_count=len(changes), everything_reason=many, first_written_at=since)
    resolution = _resolve_changes(connection, changes)
    delete_members(connection, resolution.groups)
    for chunk in _chunks([one.id for one in resolution.pages if one.id]):
        set_purged(connection, chunk)
    return replace(resolution, first_written_at=since)


def _written_at(change: Change) -> datetime | None:
    """Return when a row was written; None for a change that stands for everything."""
    return None if change.op is Op.EVERYTHING else change.written_at


def find_affected_pages(connection: Connection, changes: Iterable[Change]) -> Resolution:
    """Return the pages that these changes would affect; nothing is written."""
    return _resolve_changes(connection, list(changes))


def _resolve_changes(connection: Connection, changes: list[Change]) -> Resolution:
    coarse = next((c for c in changes if c.op in {Op.EVERYTHING, Op.TRUNCATE}), None)
    if coarse is not None:
        what = "anything" if coarse.op is Op.EVERYTHING else f"the whole of {coarse.table}"
        return Resolution(change_count=len(changes), everything_reason=f"{what} may have changed")
    requested = _requested_pages(connection, changes)
    shapes = _load_shapes(connection, {c.table for c in changes})
    joined_rows = _load_joined_rows(connection, shapes, changes)
    lookups = _build_lookups(shapes, changes, joined_rows)
    if lookups is None:
        return Resolution(
            change_count=len(changes), everything_reason="a change could not be compared"
        )
    if sum(map(len, lookups.values())) > MAX_LOOKUPS:
        return Resolution(
            change_count=len(changes), everything_reason="too many lookups to run one by one"
        )
    hard_purge_ids = set(
        _find_page_ids(connection, find_removal_lookups(shapes, changes, joined_rows))
    )
    pages, groups = _load_pages(connection, lookups)
    members = members_of(connection, groups)
    pages = tuple(replace(page, hard_purge=page.id in hard_purge_ids) for page in pages)
    return Resolution(
        change_count=len(changes),
        pages=(*pages, *members, *requested),
        groups=tuple(group.id for group in groups),
    )


def manual_purge_change(url: str, tag: str, site: str = "") -> Change:
    """Return the change by which a person purges one URL, registered or not."""
    return Change(table=_URL_TABLE, op=Op.DELETE, old={"url": url, "tag": tag, "site": site})


def _requested_pages(connection: Connection, changes: Iterable[Change]) -> tuple[AffectedPage, ...]:
    """Return the pages that a person purges by URL, with their registered sites and tags.

    Only a URL without a registered page is purged with the tag and site in the change itself: the
    settings of the process that logged it may differ from those of the site.
    """
    requests = {c.old["url"]: c.old for c in changes if c.table == _URL_TABLE and c.old}
    pages: set[AffectedPage] = set()
    for url, request in sorted(requests.items()):
        query = sa.select(page.c.url, page.c.tag, page.c.site).where(page.c.url == url).distinct()
        rows = connection.execute(query).all()
        pages |= {
            AffectedPage(id=0, url=url, tag=r.tag, site=r.site, hard_purge=True) for r in rows
        }
        if not rows:
            site = request.get("site") or ""
            pages.add(AffectedPage(id=0, url=url, tag=request["tag"], site=site, hard_purge=True))
    return tuple(sorted(pages, key=lambda one: (one.url, one.site, one.tag)))


def _load_shapes(connection: Connection, tables: set[str]) -> dict[str, list[DependencyShape]]:
    rows = connection.execute(sa.select(shape_table).where(shape_table.c.of_table.in_(tables)))
    shapes: dict[str, list[DependencyShape]] = defaultdict(list)
    for row in rows:
        shapes[row.of_table].append(
            DependencyShape(
                kind=row.kind,
                table=row.of_table,
                columns=tuple(json.loads(row.columns)),
                equality_columns=tuple(json.loads(row.equal)),
                sort_column=row.sort,
                semi_join=SemiJoinShape.from_list(json.loads(row.via)),
            ),
        )
    return shapes


def _load_joined_rows(
    connection: Connection, shapes: dict[str, list[DependencyShape]], changes: list[Change]
) -> JoinedRows:
    """Load the joined rows of every changed row, for the shapes with a semi-join."""
    keys: dict[SemiJoinShape, set[str]] = defaultdict(set)
    for change in changes:
        for shape in shapes.get(change.table, ()):
            if shape.semi_join and shape.may_match(change):
                keys_of_images = (
                    encode_value(image.get(shape.semi_join.own_column)) for image in change.images
                )
                keys[shape.semi_join] |= {key for key in keys_of_images if key is not None}
    joined_rows = JoinedRows(connection)
    for through, keys_to_load in keys.items():
        joined_rows.load(through, keys_to_load)
    if keys:
        # After loading: on PostgreSQL the queries may have seen commits later than `changes`.
        joined_rows.add_changes((*changes, *unresolved_changes(connection, limit=MAX_CHANGES)))
    return joined_rows


def _build_lookups(
    shapes: dict[str, list[DependencyShape]], changes: Iterable[Change], joined_rows: JoinedRows
) -> dict[int, set[int | None]] | None:
    """Return the sort keys to look up for each hash; the key None matches every interval.

    Returns None if a change cannot be compared.
    """
    if joined_rows.has_incomplete_image:
        return None
    lookups: dict[int, set[int | None]] = defaultdict(set)
    for change in changes:
        for shape in shapes.get(change.table, ()):
            if not shape.may_match(change):
                continue
            for lookup in shape.lookups(change, joined_rows):
                if lookup is None:
                    return None
                lookups[lookup[0]].add(lookup[1])
    return lookups


def _load_pages(
    connection: Connection, lookups: dict[int, set[int | None]]
) -> tuple[tuple[AffectedPage, ...], tuple[AffectedPage, ...]]:
    """Return the pages with any of these dependencies, and the groups of short-lived pages."""
    ids = set(_find_page_ids(connection, lookups))
    pages: list[AffectedPage] = []
    groups: list[AffectedPage] = []
    columns = (*page.c["id", "url", "tag", "site"], page.c.variant, page.c.lifetime)
    for chunk in _chunks(sorted(ids)):
        for row in connection.execute(sa.select(*columns).where(page.c.id.in_(chunk))):
            kind = groups if row.variant == GROUP else pages
            lifetime = span(row.lifetime)
            kind.append(
                AffectedPage(id=row.id, url=row.url, tag=row.tag, site=row.site, lifetime=lifetime)
            )
    return tuple(pages), tuple(groups)


def _find_page_ids(connection: Connection, lookups: dict[int, set[int | None]]) -> Iterator[int]:
    plain = sorted(hashed for hashed, keys in lookups.items() if None in keys)
    for chunk in _chunks(plain):
        yield from connection.scalars(
            sa.select(dependency.c.page_id).where(dependency.c.hash.in_(chunk)),
        )
    for hashed, keys in lookups.items():
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
    """Convert a duration from microseconds, as the tables store it."""
    return timedelta(microseconds=microseconds)


def _chunks(values: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
