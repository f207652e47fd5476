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
from ..changes.encoding import EPOCH
from ..changes.log import newest_changes
from ..changes.watched_table import WatchedTable
from ..dependencies import Dependency, Interval, Part, Range, Row, SemiJoin, Table, matches
from .precision import Precision
from .tables import page, short_page

MAX_CHANGES_SEARCHED = 1_000
"""So many entries of the change log are looked through."""

MAX_LABELS = 200
"""So many rows of a table are called by their names."""

_PART_KIND_NAMES = {
    "code": "the code of",
    "setting": "the setting",
    "static": "the file",
    "template": "the template",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredVariant:
    """What the index knows of one variant of a page."""

    variant: str
    policy: str
    etag: str
    registered: datetime
    expires: datetime
    precision: Precision

    def to_text(self) -> str:
        """The same for people."""
        form = f" as {self.variant}" if self.variant else ""
        since, until = _instant(self.registered), _instant(self.expires)
        said = f"registered{form} under {self.policy} on {since}, kept until {until} at the most"
        times, alike = self.precision.rendered_again, self.precision.unchanged
        if not times:
            return said
        purges = "1 purge" if times == 1 else f"{times} purges"
        vain = "never" if not alike else "once" if alike == 1 else f"{alike} times"
        return f"{said}; made anew after {purges}, {vain} as it was before"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastChange:
    """The last logged change that touched a page, and when; entries of the log are numbered."""

    entry: int
    what: str
    at: datetime | None = None


def registered_variants(connection: Connection, url: str) -> tuple[RegisteredVariant, ...]:
    """What is registered under a URL."""
    rows = connection.execute(sa.select(page).where(page.c.url == url).order_by(page.c.variant))
    short_rows = connection.execute(
        sa.select(short_page).where(short_page.c.url == url).order_by(short_page.c.variant)
    )
    return (*_kept_pages(rows), *_kept_short_pages(short_rows))


def _kept_short_pages(rows: Iterable[Any]) -> Iterator[RegisteredVariant]:
    for row in rows:
        yield RegisteredVariant(
            variant=row.variant,
            policy=row.policy,
            etag="",
            registered=EPOCH + timedelta(microseconds=row.registered_at),
            expires=EPOCH + timedelta(microseconds=row.expires_at),
            precision=Precision(),
        )


def _kept_pages(rows: Iterable[Any]) -> tuple[RegisteredVariant, ...]:
    return tuple(
        RegisteredVariant(
            variant=row.variant,
            policy=row.policy,
            etag=row.etag,
            registered=EPOCH + timedelta(microseconds=row.registered_at),
            expires=EPOCH + timedelta(microseconds=row.expires_at),
            precision=Precision(rendered_again=row.renewed, unchanged=row.unchanged),
        )
        for row in rows
    )


def find_last_change(
    connection: Connection, dependencies: Collection[Dependency]
) -> LastChange | None:
    """The last change that touched any of these, if the log still holds it."""
    for entry, change in newest_changes(connection, limit=MAX_CHANGES_SEARCHED):
        if any(matches(dependency, change) for dependency in dependencies):
            return LastChange(entry=entry, what=describe_change(change), at=change.written_at)
    return None


def describe_change(change: Change) -> str:
    """A change in words."""
    if change.op is Op.EVERYTHING:
        return "anything may have changed"
    if change.op is Op.TRUNCATE:
        return f"{change.table} was emptied"
    image = change.images[-1] if change.images else {}
    if change.table.startswith("part:"):
        kind = change.table.removeprefix("part:")
        return f"a release changed {_PART_KIND_NAMES.get(kind, kind)} {image.get('name')}"
    who = ", ".join(f"{name} {value}" for name, value in image.items() if name == "id")
    who = who or ", ".join(f"{name} {value}" for name, value in image.items())
    done = {Op.INSERT: "was added", Op.DELETE: "was removed"}.get(change.op)
    if done is None:
        done = f"got another {' and '.join(sorted(change.changed_columns))}"
    return f"{change.table} with {who} {done}"


def describe_dependencies(
    connection: Connection, watched: Sequence[WatchedTable], dependencies: Iterable[Dependency]
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
            others.add(_describe_range(found))
    labels = {one.table: one.label_column or one.lookup_column for one in watched}
    said = [
        line
        for table in sorted(rows)
        for line in _describe_rows(
            rows[table], _load_labels(connection, table, labels.get(table, ""), rows[table])
        )
    ]
    said += sorted(others)
    said += [
        f"{_PART_KIND_NAMES.get(kind, kind)} {name}"
        for kind in sorted(parts)
        for name in sorted(parts[kind])
    ]
    return tuple(said)


def _describe_rows(rows: Iterable[Row], names: Mapping[str, str]) -> Iterator[str]:
    """Each row once, with all that was read of it."""
    columns: dict[tuple[str, tuple[tuple[str, str], ...]], set[str]] = defaultdict(set)
    for row in rows:
        columns[row.table, row.key] |= row.columns - {name for name, _ in row.key}
    for (table, key), read in sorted(columns.items(), key=lambda item: item[0]):
        name = names.get(key[0][1]) if len(key) == 1 else None
        which = repr(name) if name is not None else _describe_equalities(key)
        yield f"{table} {which}: its {', '.join(sorted(read)) or 'being there'}"


def _load_labels(
    connection: Connection, table: str, label: str, rows: Sequence[Row]
) -> dict[str, str]:
    keys = sorted({row.key[0][1] for row in rows if len(row.key) == 1})[:MAX_LABELS]
    if not label or not keys:
        return {}
    key = rows[0].key[0][0]
    of = sa.table(table, sa.column(key), sa.column(label))
    spelt = sa.cast(of.c[key], sa.Text)
    found = connection.execute(sa.select(spelt, of.c[label]).where(spelt.in_(keys)))
    return {row[0]: str(row[1]) for row in found}


def _describe_range(found: Range | Table | Dependency) -> str:
    if not isinstance(found, Range):
        return f"everything in {getattr(found, 'table', '')}"
    which = f" with {_describe_equalities(found.equalities)}" if found.equalities else ""
    when = _describe_interval(found.interval) if found.interval else ""
    joined = _describe_semi_join(found.semi_join) if found.semi_join else ""
    by = ", ".join(sorted(found.referenced_columns))
    return f"which {found.table} there are{which}{when}{joined} (by {by})"


def _describe_semi_join(via: SemiJoin) -> str:
    which = f" with {_describe_equalities(via.equalities)}" if via.equalities else ""
    when = _describe_interval(via.interval) if via.interval else ""
    return f", for a {via.table}{which}{when}"


def _describe_equalities(pairs: Iterable[tuple[str, str]]) -> str:
    return " and ".join(f"{name} {value}" for name, value in pairs)


def _describe_interval(between: Interval) -> str:
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


class Describable(Protocol):
    """Something that can be told to people and to programs."""

    def to_lines(self) -> Iterator[str]:
        """The lines that people read."""

    def to_json(self) -> dict[str, Any]:
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
    kept: tuple[RegisteredVariant, ...]
    fresh: bool | None
    built_from: tuple[str, ...]
    touched: LastChange | None
    places: Describable | None = None

    def to_lines(self) -> Iterator[str]:
        """The same for people."""
        yield f"{self.url} answers {self.status}, by the policy {self.policy}."
        if self.refused:
            yield f"It is not shared: {self.refused}"
        for copy in self.kept:
            yield f"It is {copy.to_text()}."
        if not self.kept:
            yield "It is not registered: nothing keeps it just now."
        if self.fresh is False:
            yield "What is registered differs from the page as it would be made now."
        yield from self.places.to_lines() if self.places is not None else ()
        if self.touched is not None:
            at = f", on {_instant(self.touched.at)}" if self.touched.at else ""
            yield f"Last touched by entry {self.touched.entry} of the log{at}: {self.touched.what}."
        elif self.built_from:
            yield "No change that the log still holds has touched it."
        if self.built_from:
            yield "It is built from:"
            yield from (f"  {line}" for line in self.built_from)

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        plain = asdict(replace(self, places=None))
        for copy in plain["kept"]:
            copy |= {name: copy[name].isoformat() for name in ("registered", "expires")}
        if self.touched is not None and self.touched.at is not None:
            plain["touched"]["at"] = self.touched.at.isoformat()
        return plain | {"places": self.places and self.places.to_json()}
