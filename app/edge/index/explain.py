"""What a page is built from, in words; what the index knows of it; and what last touched it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from ..changes.change import Change, Op
from ..changes.log import newest
from ..changes.watched import Watched
from ..reads import Between, Dependency, Part, Range, Row, Table, Via, matches
from ..reads.encoding import EPOCH
from .precision import Precision
from .tables import page, short_page

LOOKED_AT = 1_000
"""So many entries of the change log are looked through."""

MOST_NAMED = 200
"""So many rows of a table are called by their names."""

_KINDS = {
    "code": "the code of",
    "setting": "the setting",
    "static": "the file",
    "template": "the template",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the index knows of one variant of a page."""

    variant: str
    policy: str
    etag: str
    registered: datetime
    expires: datetime
    precision: Precision

    def words(self) -> str:
        """The same for people."""
        form = f" as {self.variant}" if self.variant else ""
        since, until = _instant(self.registered), _instant(self.expires)
        said = f"registered{form} under {self.policy} on {since}, kept until {until} at the most"
        times, alike = self.precision.renewed, self.precision.unchanged
        if not times:
            return said
        purges = "1 purge" if times == 1 else f"{times} purges"
        vain = "never" if not alike else "once" if alike == 1 else f"{alike} times"
        return f"{said}; made anew after {purges}, {vain} as it was before"


@dataclass(frozen=True, slots=True, kw_only=True)
class Touch:
    """The last logged change that touched a page, and when; entries of the log are numbered."""

    entry: int
    what: str
    at: datetime | None = None


def kept(connection: Connection, url: str) -> tuple[Kept, ...]:
    """What is registered under a URL."""
    rows = connection.execute(sa.select(page).where(page.c.url == url).order_by(page.c.variant))
    short_rows = connection.execute(
        sa.select(short_page).where(short_page.c.url == url).order_by(short_page.c.variant)
    )
    return (*_kept_pages(rows), *_kept_short_pages(short_rows))


def _kept_short_pages(rows: Iterable[Any]) -> Iterator[Kept]:
    for row in rows:
        yield Kept(
            variant=row.variant,
            policy=row.policy,
            etag="",
            registered=EPOCH + timedelta(microseconds=row.registered_at),
            expires=EPOCH + timedelta(microseconds=row.expires_at),
            precision=Precision(),
        )


def _kept_pages(rows: Iterable[Any]) -> tuple[Kept, ...]:
    return tuple(
        Kept(
            variant=row.variant,
            policy=row.policy,
            etag=row.etag,
            registered=EPOCH + timedelta(microseconds=row.registered_at),
            expires=EPOCH + timedelta(microseconds=row.expires_at),
            precision=Precision(renewed=row.renewed, unchanged=row.unchanged),
        )
        for row in rows
    )


def touch(connection: Connection, dependencies: Collection[Dependency]) -> Touch | None:
    """The last change that touched any of these, if the log still holds it."""
    for entry, change in newest(connection, most=LOOKED_AT):
        if any(matches(dependency, change) for dependency in dependencies):
            return Touch(entry=entry, what=told(change), at=change.written)
    return None


def told(change: Change) -> str:
    """A change in words."""
    if change.op is Op.EVERYTHING:
        return "anything may have changed"
    if change.op is Op.TRUNCATE:
        return f"{change.table} was emptied"
    image = change.images[-1] if change.images else {}
    if change.table.startswith("part:"):
        kind = change.table.removeprefix("part:")
        return f"a release changed {_KINDS.get(kind, kind)} {image.get('name')}"
    who = ", ".join(f"{name} {value}" for name, value in image.items() if name == "id")
    who = who or ", ".join(f"{name} {value}" for name, value in image.items())
    done = {Op.INSERT: "was added", Op.DELETE: "was removed"}.get(change.op)
    if done is None:
        done = f"got another {' and '.join(sorted(change.changed))}"
    return f"{change.table} with {who} {done}"


def in_words(
    connection: Connection, watched: Sequence[Watched], dependencies: Iterable[Dependency]
) -> tuple[str, ...]:
    """What a page is built from, as a writer would say it; one query for each table's names."""
    rows: dict[str, list[Row]] = defaultdict(list)
    parts: dict[str, list[str]] = defaultdict(list)
    others: set[str] = set()
    for found in dependencies:
        if isinstance(found, Row):
            rows[found.table].append(found)
        elif isinstance(found, Part):
            parts[found.kind].append(found.name)
        else:
            others.add(_coarse(found))
    labels = {one.table: one.label or one.handle for one in watched}
    said = [
        line
        for table in sorted(rows)
        for line in _rows(
            rows[table], _names(connection, table, labels.get(table, ""), rows[table])
        )
    ]
    said += sorted(others)
    said += [
        f"{_KINDS.get(kind, kind)} {name}" for kind in sorted(parts) for name in sorted(parts[kind])
    ]
    return tuple(said)


def _rows(rows: Iterable[Row], names: Mapping[str, str]) -> Iterator[str]:
    """Each row once, with all that was read of it."""
    columns: dict[tuple[str, tuple[tuple[str, str], ...]], set[str]] = defaultdict(set)
    for row in rows:
        columns[row.table, row.key] |= row.columns - {name for name, _ in row.key}
    for (table, key), read in sorted(columns.items(), key=lambda item: item[0]):
        name = names.get(key[0][1]) if len(key) == 1 else None
        which = repr(name) if name is not None else _equal(key)
        yield f"{table} {which}: its {', '.join(sorted(read)) or 'being there'}"


def _names(connection: Connection, table: str, label: str, rows: Sequence[Row]) -> dict[str, str]:
    keys = sorted({row.key[0][1] for row in rows if len(row.key) == 1})[:MOST_NAMED]
    if not label or not keys:
        return {}
    key = rows[0].key[0][0]
    of = sa.table(table, sa.column(key), sa.column(label))
    spelt = sa.cast(of.c[key], sa.Text)
    found = connection.execute(sa.select(spelt, of.c[label]).where(spelt.in_(keys)))
    return {row[0]: str(row[1]) for row in found}


def _coarse(found: Range | Table | Dependency) -> str:
    if not isinstance(found, Range):
        return f"everything in {getattr(found, 'table', '')}"
    which = f" with {_equal(found.equal)}" if found.equal else ""
    when = _between(found.between) if found.between else ""
    joined = _joined(found.via) if found.via else ""
    by = ", ".join(sorted(found.mentioned))
    return f"which {found.table} there are{which}{when}{joined} (by {by})"


def _joined(via: Via) -> str:
    which = f" with {_equal(via.equal)}" if via.equal else ""
    when = _between(via.between) if via.between else ""
    return f", for a {via.table}{which}{when}"


def _equal(pairs: Iterable[tuple[str, str]]) -> str:
    return " and ".join(f"{name} {value}" for name, value in pairs)


def _between(between: Between) -> str:
    low = f" from {_microseconds(between.low)}" if between.low is not None else ""
    high = f" up to {_microseconds(between.high)}" if between.high is not None else ""
    return f", {between.column}{low}{high}"


def _microseconds(key: int) -> str:
    """A sort key in words; those of the watched tables are instants."""
    try:
        return _instant(EPOCH + timedelta(microseconds=key))
    except OverflowError:
        return str(key)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


class Told(Protocol):
    """Something that can be told to people and to programs."""

    def words(self) -> Iterator[str]:
        """The lines that people read."""

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a URL is kept or not, where, and what it is built from.

    `fresh` says whether the newest registered copy has the bytes of a page made just now;
    None when none is registered, or when the page has no ETag.
    """

    url: str
    status: int
    policy: str
    refused: str
    kept: tuple[Kept, ...]
    fresh: bool | None
    built_from: tuple[str, ...]
    touched: Touch | None
    places: Told | None = None

    def words(self) -> Iterator[str]:
        """The same for people."""
        yield f"{self.url} answers {self.status}, by the policy {self.policy}."
        if self.refused:
            yield f"It is not shared: {self.refused}"
        for copy in self.kept:
            yield f"It is {copy.words()}."
        if not self.kept:
            yield "It is not registered: nothing keeps it just now."
        if self.fresh is False:
            yield "What is registered differs from the page as it would be made now."
        yield from self.places.words() if self.places is not None else ()
        if self.touched is not None:
            at = f", on {_instant(self.touched.at)}" if self.touched.at else ""
            yield f"Last touched by entry {self.touched.entry} of the log{at}: {self.touched.what}."
        elif self.built_from:
            yield "No change that the log still holds has touched it."
        if self.built_from:
            yield "It is built from:"
            yield from (f"  {line}" for line in self.built_from)

    def as_json(self) -> dict[str, Any]:
        """The same for programs."""
        plain = asdict(replace(self, places=None))
        for copy in plain["kept"]:
            copy |= {name: copy[name].isoformat() for name in ("registered", "expires")}
        if self.touched is not None and self.touched.at is not None:
            plain["touched"]["at"] = self.touched.at.isoformat()
        return plain | {"places": self.places and self.places.as_json()}
