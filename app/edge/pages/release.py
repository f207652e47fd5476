"""A release: the pages whose templates, files, settings or code changed are purged, no others.

What changed goes into the change log like any write, so it is resolved and purged as one, and a
crash loses nothing. From then on pages of another build are not registered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes import WatchedTable
from ..changes.change import EVERYTHING_CHANGED, Change, Op
from ..changes.log import append_change
from ..changes.metadata import get_meta, set_meta
from ..dependencies import Part
from .register import BUILD_KEY
from .resolve import find_affected_pages
from .resolver_lock import acquire_resolver_lock
from .tables import dependency, page, part

_ENCODING = "encoding"
_ROOMS = ("changes", "dependencies", "pages")


class Build(Protocol):
    """What the code has now."""

    @property
    def build_id(self) -> str:
        """The release that this process is of."""

    def digest(self, kind: str, name: str) -> str:
        """The digest that a part has now; another one than any if it is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseResult:
    """What a release changed: `parts` by kind and name, and how many known pages show them.

    `retired` are edges that the settings name no more, so that nothing is owed to them.
    """

    build: str
    before: str | None
    parts: tuple[tuple[str, str], ...]
    pages: int
    everything: str = ""
    retired: tuple[str, ...] = ()

    def to_lines(self) -> Iterator[str]:
        """The same for people."""
        if self.everything:
            yield f"Everything is purged: {self.everything}."
        elif not self.parts:
            yield "Nothing that pages show has changed; nothing is purged."
        else:
            pages = "1 page is" if self.pages == 1 else f"{self.pages} pages are"
            these = "this has" if len(self.parts) == 1 else "these have"
            yield f"{pages} purged, because {these} changed:"
            yield from (f"  {kind} {name}" for kind, name in self.parts)
        if self.retired:
            yield f"No longer an edge in front: {', '.join(self.retired)}."
        yield f"The build is {self.build}."

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        return asdict(self)


def release(connection: Connection, now: Build, watched: Iterable[WatchedTable]) -> ReleaseResult:
    """Make the build of this process current, and log which parts are not what they were.

    Call it in a transaction of its own that holds SQLite's write lock from its beginning.
    """
    acquire_resolver_lock(connection)
    changed_parts = [
        indexed_part
        for indexed_part in _load_parts(connection)
        if now.digest(indexed_part.kind, indexed_part.name) != indexed_part.digest
    ]
    changes = [_to_change(indexed_part) for indexed_part in changed_parts]
    before, encoding = get_meta(connection, BUILD_KEY), _index_format_digest(watched)
    everything = _full_purge_reason(get_meta(connection, _ENCODING), encoding)
    resolution = find_affected_pages(connection, changes)
    for change in [EVERYTHING_CHANGED] if everything else changes:
        append_change(connection, change)
    _delete_parts(connection, changed_parts)
    set_meta(connection, BUILD_KEY, now.build_id)
    set_meta(connection, _ENCODING, encoding)
    return ReleaseResult(
        build=now.build_id,
        before=before,
        parts=tuple(
            sorted({(indexed_part.kind, indexed_part.name) for indexed_part in changed_parts})
        ),
        pages=len(resolution.pages),
        everything=everything or resolution.everything_reason,
    )


def _load_parts(connection: Connection) -> list[Part]:
    rows = connection.execute(sa.select(part.c.kind, part.c.name, part.c.digest))
    return [Part(kind=row.kind, name=row.name, digest=row.digest) for row in rows]


def _to_change(indexed_part: Part) -> Change:
    image = {"name": indexed_part.name, "digest": indexed_part.digest}
    return Change(table=indexed_part.log_table, op=Op.DELETE, old=image)


def _full_purge_reason(stored_digest: str | None, current_digest: str) -> str:
    """Say why the index can't be asked, if what wrote it spelt dependencies in another way."""
    same = stored_digest is None or stored_digest == current_digest
    return "" if same else "the way in which dependencies are kept has changed"


def _delete_parts(connection: Connection, parts: Sequence[Part]) -> None:
    """Forget parts; a page that is rendered from one again (a release taken back) names it anew."""
    for indexed_part in parts:
        mine = sa.and_(
            part.c.kind == indexed_part.kind,
            part.c.name == indexed_part.name,
            part.c.digest == indexed_part.digest,
        )
        hashes = list(connection.scalars(sa.select(part.c.hash).where(mine)))
        pages = sa.select(dependency.c.page_id).where(dependency.c.hash.in_(hashes))
        connection.execute(sa.update(page).where(page.c.id.in_(pages)).values(digest=""))
        connection.execute(sa.delete(part).where(mine))


def _index_format_digest(watched: Iterable[WatchedTable]) -> str:
    """A digest of what decides how a dependency is spelt in the index."""
    digest = hashlib.blake2b(
        repr([table.trigger_definition for table in watched]).encode(), digest_size=16
    )
    for room in _ROOMS:
        for path in sorted((Path(__file__).parent.parent / room).glob("*.py")):
            digest.update(hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()
