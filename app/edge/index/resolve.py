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
from ..changes.log import take, unresolved
from ..reads.encoding import encode
from .interval import nodes, shifted
from .leaving import leaving
from .links import Linked
from .lock import exclude
from .page import Affected
from .precision import mark_purged
from .shape import Shape, Through
from .short import GROUP, members_of, take_members
from .tables import dependency, page
from .tables import shape as shape_table

MOST_CHANGES = 2_000
"""With more unresolved changes than this (a bulk import), everything is purged."""

MOST_PROBES = 20_000
"""With more probes than this, everything is purged."""

_CHUNK = 400

_URL = "edge:url"
"""No table: under this name the log holds what a person asked to purge."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What some changes touch: pages, or everything, and why; `since` the first was written."""

    changes: int = 0
    pages: tuple[Affected, ...] = ()
    groups: tuple[int, ...] = ()
    """The groups whose short-lived pages are among `pages`."""
    everything: str = ""
    since: datetime | None = None


def resolve(connection: Connection) -> Resolution:
    """Take every unresolved change from the log and say which pages may now differ."""
    exclude(connection)
    found = take(connection, most=MOST_CHANGES)
    if not found:
        return Resolution()
    since = min(filter(None, map(_written, found)), default=None)
    if len(found) > MOST_CHANGES:
        many = "more changes than are told apart"
        return Resolution(changes=len(found), everything=many, since=since)
    resolution = _affected(connection, found)
    take_members(connection, resolution.groups)
    for chunk in _chunks([one.id for one in resolution.pages if one.id]):
        mark_purged(connection, chunk)
    return replace(resolution, since=since)


def _written(change: Change) -> datetime | None:
    """When a row was written; what an installation says may wait for the first process."""
    return None if change.op is Op.EVERYTHING else change.written


def affected(connection: Connection, changes: Iterable[Change]) -> Resolution:
    """Say which pages these changes would touch; nothing is written."""
    return _affected(connection, list(changes))


def _affected(connection: Connection, changes: list[Change]) -> Resolution:
    coarse = next((c for c in changes if c.op in {Op.EVERYTHING, Op.TRUNCATE}), None)
    if coarse is not None:
        what = "anything" if coarse.op is Op.EVERYTHING else f"the whole of {coarse.table}"
        return Resolution(changes=len(changes), everything=f"{what} may have changed")
    requested = _requested(connection, changes)
    shapes = _shapes(connection, {c.table for c in changes})
    others = _others(connection, shapes, changes)
    probes = _probes(shapes, changes, others)
    if probes is None:
        return Resolution(changes=len(changes), everything="a change could not be told apart")
    if sum(map(len, probes.values())) > MOST_PROBES:
        return Resolution(changes=len(changes), everything="more probes than are asked one by one")
    gone = set(_page_ids(connection, leaving(shapes, changes, others)))
    pages, groups = _pages(connection, probes)
    members = members_of(connection, groups)
    pages = tuple(replace(page, gone=page.id in gone) for page in pages)
    return Resolution(
        changes=len(changes),
        pages=(*pages, *members, *requested),
        groups=tuple(group.id for group in groups),
    )


def asked_for(url: str, tag: str, site: str = "") -> Change:
    """The entry of the change log by which a person purges one URL, registered or not."""
    return Change(table=_URL, op=Op.DELETE, old={"url": url, "tag": tag, "site": site})


def _requested(connection: Connection, changes: Iterable[Change]) -> tuple[Affected, ...]:
    """The pages that a person purges by URL, with the sites and tags that they are registered with.

    Only a URL without a registered page is purged with what the process of that person says of
    it: its settings may be other ones than those of the site.
    """
    requests = {c.old["url"]: c.old for c in changes if c.table == _URL and c.old}
    found: set[Affected] = set()
    for url, request in sorted(requests.items()):
        query = sa.select(page.c.url, page.c.tag, page.c.site).where(page.c.url == url).distinct()
        rows = connection.execute(query).all()
        found |= {Affected(id=0, url=url, tag=r.tag, site=r.site, gone=True) for r in rows}
        if not rows:
            site = request.get("site") or ""
            found.add(Affected(id=0, url=url, tag=request["tag"], site=site, gone=True))
    return tuple(sorted(found, key=lambda one: (one.url, one.site, one.tag)))


def _shapes(connection: Connection, tables: set[str]) -> dict[str, list[Shape]]:
    rows = connection.execute(sa.select(shape_table).where(shape_table.c.of_table.in_(tables)))
    found: dict[str, list[Shape]] = defaultdict(list)
    for row in rows:
        found[row.of_table].append(
            Shape(
                kind=row.kind,
                table=row.of_table,
                columns=tuple(json.loads(row.columns)),
                equal=tuple(json.loads(row.equal)),
                sort=row.sort,
                via=Through.read(json.loads(row.via)),
            ),
        )
    return found


def _others(
    connection: Connection, shapes: dict[str, list[Shape]], changes: list[Change]
) -> Linked:
    """The other rows of every changed row, for the shapes that ask for one."""
    keys: dict[Through, set[str]] = defaultdict(set)
    for change in changes:
        for shape in shapes.get(change.table, ()):
            if shape.via and shape.hears(change):
                found = (encode(image.get(shape.via.key)) for image in change.images)
                keys[shape.via] |= {key for key in found if key is not None}
    others = Linked(connection)
    for through, wanted in keys.items():
        others.learn(through, wanted)
    if keys:
        # After the look-ups: PostgreSQL may have shown them what was committed after `changes`.
        others.remember((*changes, *unresolved(connection, most=MOST_CHANGES)))
    return others


def _probes(
    shapes: dict[str, list[Shape]], changes: Iterable[Change], others: Linked
) -> dict[int, set[int | None]] | None:
    """The sort keys to ask for under each hash; None among them asks for every interval."""
    if others.unreadable:
        return None
    probes: dict[int, set[int | None]] = defaultdict(set)
    for change in changes:
        for shape in shapes.get(change.table, ()):
            if not shape.hears(change):
                continue
            for probe in shape.probes(change, others):
                if probe is None:
                    return None
                probes[probe[0]].add(probe[1])
    return probes


def _pages(
    connection: Connection, probes: dict[int, set[int | None]]
) -> tuple[tuple[Affected, ...], tuple[Affected, ...]]:
    """The pages that have any of these dependencies, and the groups of short-lived pages."""
    ids = set(_page_ids(connection, probes))
    found: list[Affected] = []
    groups: list[Affected] = []
    columns = (*page.c["id", "url", "tag", "site"], page.c.variant, page.c.lifetime)
    for chunk in _chunks(sorted(ids)):
        for row in connection.execute(sa.select(*columns).where(page.c.id.in_(chunk))):
            kind = groups if row.variant == GROUP else found
            lifetime = span(row.lifetime)
            kind.append(
                Affected(id=row.id, url=row.url, tag=row.tag, site=row.site, lifetime=lifetime)
            )
    return tuple(found), tuple(groups)


def _page_ids(connection: Connection, probes: dict[int, set[int | None]]) -> Iterator[int]:
    plain = sorted(hashed for hashed, keys in probes.items() if None in keys)
    for chunk in _chunks(plain):
        yield from connection.scalars(
            sa.select(dependency.c.page_id).where(dependency.c.hash.in_(chunk)),
        )
    for hashed, keys in probes.items():
        for key in keys if None not in keys else ():
            yield from connection.scalars(_holding(hashed, key or 0))


def _holding(hashed: int, key: int) -> sa.Select[Any]:
    at = shifted(key)
    return sa.select(dependency.c.page_id).where(
        dependency.c.hash == hashed,
        dependency.c.node.in_(sorted(set(nodes(key)))),
        dependency.c.low <= at,
        dependency.c.high >= at,
    )


def span(microseconds: int) -> timedelta:
    """A span as the tables hold it."""
    return timedelta(microseconds=microseconds)


def _chunks(values: list[int]) -> Iterator[list[int]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
