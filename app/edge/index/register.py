"""Registering a response before it leaves, unless a change came between its reads and now.

Call it in a transaction of its own, that holds SQLite's write lock from its beginning.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable
from enum import StrEnum
from functools import lru_cache

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.log import since
from ..changes.mark import mark as mark_now
from ..changes.meta import noted
from ..reads.dependency import Dependency, Part, matches
from ..reads.encoding import whole
from .bound import Bound
from .lock import share
from .page import Page
from .shape import Entry, Shape, entry
from .tables import dependency, page, part, shape

BUILD = "build"
"""The note beside the change log that names the release whose pages may be registered."""

MOST_CHANGES = 500
"""More changes than this since a render began are not compared one by one."""


class Registered(StrEnum):
    """What became of a registration; the value is the reason that operators read."""

    DONE = "registered"
    CHANGED = "what it was built from changed while it was built"
    UNMARKED = "nothing says when its reads began"
    OLD_BUILD = "another release than the one that made it is current: run `flask edge release`"
    TOO_MANY = "too many changes came while it was built"
    FULL = "the page index is full: let EDGE_INDEX_PAGES be larger"


def register(
    connection: Connection,
    response: Page,
    dependencies: Collection[Dependency],
    marks: Iterable[str],
    build: str | None = None,
    bound: Bound | None = None,
) -> Registered:
    """Put a response into the index, or say why it must not be stored.

    `marks` were taken before the first read; `build` names the release that made it, `bound` is
    that of the index. A refusal leaves an older row of the page as it is, because a copy of that
    may still be out there.
    """
    share(connection)
    if build is not None and noted(connection, BUILD) not in {None, build}:
        return Registered.OLD_BUILD
    verdict = _check(connection, dependencies, marks)
    if verdict is not Registered.DONE:
        return verdict
    return _write(connection, response, dependencies, bound)


_entry = lru_cache(maxsize=8192)(entry)
"""Most dependencies of a page are those of other pages too, or of its last copy."""


def _check(
    connection: Connection, dependencies: Collection[Dependency], marks: Iterable[str]
) -> Registered:
    taken = list(marks)
    if not taken and not all(isinstance(found, Part) for found in dependencies):
        return Registered.UNMARKED
    for mark in taken:
        if _sqlite(connection) and mark_now(connection) == mark:
            continue  # nothing at all was logged since, as nearly always
        changes = since(connection, mark, most=MOST_CHANGES)
        if changes is None:
            return Registered.TOO_MANY
        if any(matches(found, change) for change in changes for found in dependencies):
            return Registered.CHANGED
    return Registered.DONE


def _write(
    connection: Connection,
    response: Page,
    dependencies: Collection[Dependency],
    bound: Bound | None,
) -> Registered:
    entries = {_entry(found) for found in dependencies}
    digest = _digest(entries)
    values = {
        "tag": response.tag,
        "etag": response.etag,
        "policy": response.policy,
        "registered_at": whole(response.registered),
        "expires_at": whole(response.expires),
        "digest": digest,
        "aside": response.aside,
    }
    where = {"of_url": response.url, "of_variant": response.variant}
    if connection.execute(_AGAIN, {**values, **where, "of_digest": digest}).rowcount:
        return Registered.DONE
    page_id = connection.scalar(_KNOWN, where)
    if page_id is None:
        if bound is not None and not bound.has_room(connection, aside=response.aside):
            return Registered.FULL
        inserted = connection.execute(
            _NEW, {"url": response.url, "variant": response.variant, **values}
        )
        page_id = inserted.inserted_primary_key[0]  # type: ignore[index]
    else:
        connection.execute(_AGAIN_OTHERWISE, {**values, **where})
    _replace(connection, page_id, entries)
    _know_parts(connection, (found for found in dependencies if isinstance(found, Part)))
    return Registered.DONE


# Built once: to build a statement costs more than SQLite takes to run it.
_THIS = (page.c.url == sa.bindparam("of_url"), page.c.variant == sa.bindparam("of_variant"))
_VALUES = ("tag", "etag", "policy", "registered_at", "expires_at", "digest", "aside")
_KNOWN = sa.select(page.c.id).where(*_THIS)
_NEW = sa.insert(page)
_AGAIN_OTHERWISE = sa.update(page).where(*_THIS).values({n: sa.bindparam(n) for n in _VALUES})
_AGAIN = _AGAIN_OTHERWISE.where(page.c.digest == sa.bindparam("of_digest"))


def _replace(connection: Connection, page_id: int, entries: Collection[Entry]) -> None:
    """Write what differs from what is kept: after an edit most of a page is as before."""
    wanted = {_place(found): found for found in sorted(entries, key=lambda found: found.high)}
    rows = connection.execute(_HELD, {"of": page_id})
    held = {(hashed, node, low): high for hashed, node, low, high in rows}
    new = [found for place, found in wanted.items() if held.get(place) != found.high]
    gone = [p for p, high in held.items() if p not in wanted or wanted[p].high != high]
    if gone:
        connection.execute(
            _GONE,
            [{"of": page_id, "of_hash": h, "of_node": n, "of_low": low} for h, n, low in gone],
        )
    _know(connection, {found.shape for found in new})
    if new:
        connection.execute(
            _DEPENDS,
            [
                {"page_id": page_id, "hash": e.hash, "node": e.node, "low": e.low, "high": e.high}
                for e in new
            ],
        )


def _place(found: Entry) -> tuple[int, int, int]:
    return found.hash, found.node, found.low


_HELD = sa.select(dependency.c.hash, dependency.c.node, dependency.c.low, dependency.c.high).where(
    dependency.c.page_id == sa.bindparam("of")
)
_GONE = sa.delete(dependency).where(
    dependency.c.page_id == sa.bindparam("of"),
    dependency.c.hash == sa.bindparam("of_hash"),
    dependency.c.node == sa.bindparam("of_node"),
    dependency.c.low == sa.bindparam("of_low"),
)
_DEPENDS = sa.insert(dependency)


def _know(connection: Connection, shapes: Collection[Shape]) -> None:
    """Make sure that every shape is known to whoever resolves."""
    wanted = {_shape_digest(found): found for found in shapes}
    known = set(connection.scalars(_SHAPES, {"of": [*wanted]})) if wanted else set()
    for digest in sorted(wanted.keys() - known):
        found = wanted[digest]
        connection.execute(
            _insert_or_ignore(connection, shape).values(
                digest=digest,
                kind=found.kind,
                of_table=found.table,
                columns=json.dumps(found.columns),
                equal=json.dumps(found.equal),
                sort=found.sort,
                via=json.dumps(found.via.spelt() if found.via else []),
            ),
        )


_SHAPES = sa.select(shape.c.digest).where(shape.c.digest.in_(sa.bindparam("of", expanding=True)))


@lru_cache(maxsize=1024)
def _shape_digest(found: Shape) -> str:
    return found.digest


def _know_parts(connection: Connection, parts: Iterable[Part]) -> None:
    """Make sure that a release finds every part by its name.

    Those of entries that are kept as well: a release forgets parts, and leaves pages' entries.
    """
    wanted = {_entry(found).hash: found for found in parts}
    known = set(connection.scalars(_PARTS, {"of": [*wanted]})) if wanted else set()
    rows = [
        {"hash": hashed, "kind": found.kind, "name": found.name, "digest": found.digest}
        for hashed, found in sorted(wanted.items())
        if hashed not in known
    ]
    if rows:
        connection.execute(_insert_or_ignore(connection, part), rows)


_PARTS = sa.select(part.c.hash).where(part.c.hash.in_(sa.bindparam("of", expanding=True)))


def _sqlite(connection: Connection) -> bool:
    return connection.dialect.name == "sqlite"


def _insert_or_ignore(connection: Connection, table: sa.Table) -> sa.Insert:
    if _sqlite(connection):
        return sa.insert(table).prefix_with("OR IGNORE")
    from sqlalchemy.dialects.postgresql import insert  # noqa: PLC0415 - only there

    return insert(table).on_conflict_do_nothing()


def _digest(entries: Iterable[Entry]) -> str:
    spelt = sorted(f"{e.hash} {e.node} {e.low} {e.high}" for e in entries)
    return hashlib.blake2b("\n".join(spelt).encode(), digest_size=16).hexdigest()
