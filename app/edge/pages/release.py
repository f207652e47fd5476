"""A release purges the pages whose templates, files, settings or code changed, and no others.

The changed parts are appended to the change log like any write, so a crash loses nothing. After the
release, pages of another build are not registered.
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
    """The templates, files, settings and code of this process."""

    @property
    def build_id(self) -> str:
        """The release of this process."""

    def digest(self, kind: str, name: str) -> str:
        """Return the current digest of a part; a value that equals no digest if it is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseResult:
    """The result of a release: the changed `parts`, and the number of pages with them.

    `retired` are edges that are no longer in the settings, so nothing is queued for them.
    """

    build: str
    before: str | None
    parts: tuple[tuple[str, str], ...]
    pages: int
    everything: str = ""
    retired: tuple[str, ...] = ()

    def to_lines(self) -> Iterator[str]:
        """Return the lines for the terminal."""
        if self.everything:
            yield f"Everything is purged: {self.everything}."
        elif not self.parts:
            yield "No part of a registered page has changed; nothing is purged."
        else:
            pages = "1 page is" if self.pages == 1 else f"{self.pages} pages are"
            these = "this has" if len(self.parts) == 1 else "these have"
            yield f"{pages} purged, because {these} changed:"
            yield from (f"  {kind} {name}" for kind, name in self.parts)
        if self.retired:
            yield f"Removed, because not in the settings: {', '.join(self.retired)}."
        yield f"The build is {self.build}."

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""
        return asdict(self)


def release(connection: Connection, now: Build, watched: Iterable[WatchedTable]) -> ReleaseResult:
    """Make the build of this process current, and log the parts whose digests changed.

    Call it in its own transaction, which must hold SQLite's write lock from its beginning.
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
    """Return why the index cannot be used: it was written in another format. Else empty."""
    same = stored_digest is None or stored_digest == current_digest
    return "" if same else "the format of dependencies in the index has changed"


def _delete_parts(connection: Connection, parts: Sequence[Part]) -> None:
    """Delete parts, and clear the digests of their pages.

    A page that is rendered with such a part again (after a rollback) is then written in full, with
    its parts.
    """
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
    """Return a digest of everything that determines the format of dependencies in the index."""
    digest = hashlib.blake2b(
        repr([table.trigger_definition for table in watched]).encode(), digest_size=16
    )
    for room in _ROOMS:
        for path in sorted((Path(__file__).parent.parent / room).glob("*.py")):
            digest.update(hashlib.blake2b(path.read_bytes()).digest())
    return digest.hexdigest()
