"""Explain a page: its dependencies, its rows in the index, and the last change that affected it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
"""The number of newest changes in the log that are searched."""

MAX_LABELS = 200
"""The maximum number of rows of a table that are shown with their labels."""

_PART_KIND_NAMES = {
    "code": "the code of",
    "resource": "the",
    "setting": "the setting",
    "static": "the file",
    "template": "the template",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredVariant:
    """One registered variant of a page."""

    variant: str
    policy: str
    etag: str
    registered: datetime
    expires: datetime
    precision: Precision

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""
        return {
            "variant": self.variant,
            "policy": self.policy,
            "etag": self.etag,
            "registered": self.registered.isoformat(),
            "expires": self.expires.isoformat(),
            "precision": self.precision.to_json(),
        }

    def to_text(self) -> str:
        """Return one line for the terminal."""
        form = f" as {self.variant}" if self.variant else ""
        since, until = _instant(self.registered), _instant(self.expires)
        text = f"registered{form} under {self.policy} on {since}; it may be cached until {until}"
        times, alike = self.precision.rendered_again, self.precision.unchanged
        if not times:
            return text
        purges = "1 purge" if times == 1 else f"{times} purges"
        same = "never" if not alike else "once" if alike == 1 else f"{alike} times"
        return f"{text}; rendered again after {purges}, {same} with identical content"


@dataclass(frozen=True, slots=True, kw_only=True)
class LastChange:
    """The last logged change that affected a page: its id in the log, its text and its time."""

    entry: int
    what: str
    at: datetime | None = None

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""
        return {"entry": self.entry, "what": self.what, "at": self.at and self.at.isoformat()}


def registered_variants(connection: Connection, url: str) -> tuple[RegisteredVariant, ...]:
    """Return the variants that are registered under a URL."""
    rows = connection.execute(sa.select(page).where(page.c.url == url).order_by(page.c.variant))
    short_rows = connection.execute(
        sa.select(short_page).where(short_page.c.url == url).order_by(short_page.c.variant)
    )
    return (*_variants_of_pages(rows), *_variants_of_short_pages(short_rows))


def _variants_of_short_pages(rows: Iterable[Any]) -> Iterator[RegisteredVariant]:
    for row in rows:
        yield RegisteredVariant(
            variant=row.variant,
            policy=row.policy,
            etag="",
            registered=EPOCH + timedelta(microseconds=row.registered_at),
            expires=EPOCH + timedelta(microseconds=row.expires_at),
            precision=Precision(),
        )


def _variants_of_pages(rows: Iterable[Any]) -> tuple[RegisteredVariant, ...]:
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
    """Return the last change that matches one of the dependencies, if it is still in the log."""
    for entry, change in newest_changes(connection, limit=MAX_CHANGES_SEARCHED):
        if any(matches(dependency, change) for dependency in dependencies):
            return LastChange(entry=entry, what=describe_change(change), at=change.written_at)
    return None


def describe_change(change: Change) -> str:
    """Describe a change in one clause."""
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
    verb_phrase = {Op.INSERT: "was added", Op.DELETE: "was removed"}.get(change.op)
    if verb_phrase is None:
        verb_phrase = f"got another {' and '.join(sorted(change.changed_columns))}"
    return f"{change.table} with {who} {verb_phrase}"


def describe_dependencies(
    connection: Connection, watched: Sequence[WatchedTable], dependencies: Iterable[Dependency]
) -> tuple[str, ...]:
    """Describe the dependencies of a page; one query per table reads the labels of its rows."""
    rows: dict[str, list[Row]] = defaultdict(list)
    parts: dict[str, list[str]] = defaultdict(list)
    others: set[str] = set()
    for dependency in dependencies:
        if isinstance(dependency, Row):
            rows[dependency.table].append(dependency)
        elif isinstance(dependency, Part):
            parts[dependency.kind].append(dependency.name)
        else:
            others.add(_describe_range(dependency))
    labels = {one.table: one.label_column or one.lookup_column for one in watched}
    lines = [
        line
        for table in sorted(rows)
        for line in _describe_rows(
            rows[table], _load_labels(connection, table, labels.get(table, ""), rows[table])
        )
    ]
    lines += sorted(others)
    lines += [
        f"{_PART_KIND_NAMES.get(kind, kind)} {name}"
        for kind in sorted(parts)
        for name in sorted(parts[kind])
    ]
    return tuple(lines)


def _describe_rows(rows: Iterable[Row], names: Mapping[str, str]) -> Iterator[str]:
    """Describe each row once, with all columns that were read."""
    columns: dict[tuple[str, tuple[tuple[str, str], ...]], set[str]] = defaultdict(set)
    for row in rows:
        columns[row.table, row.key] |= row.columns - {name for name, _ in row.key}
    for (table, key), column_names in sorted(columns.items(), key=lambda item: item[0]):
        name = names.get(key[0][1]) if len(key) == 1 else None
        which = repr(name) if name is not None else _describe_equalities(key)
        yield f"{table} {which}: its {', '.join(sorted(column_names)) or 'being there'}"


def _load_labels(
    connection: Connection, table: str, label: str, rows: Sequence[Row]
) -> dict[str, str]:
    keys = sorted({row.key[0][1] for row in rows if len(row.key) == 1})[:MAX_LABELS]
    if not label or not keys:
        return {}
    key = rows[0].key[0][0]
    of = sa.table(table, sa.column(key), sa.column(label))
    key_as_text = sa.cast(of.c[key], sa.Text)
    labels = connection.execute(sa.select(key_as_text, of.c[label]).where(key_as_text.in_(keys)))
    return {row[0]: str(row[1]) for row in labels}


def _describe_range(dependency: Range | Table | Dependency) -> str:
    if not isinstance(dependency, Range):
        return f"everything in {getattr(dependency, 'table', '')}"
    which = f" with {_describe_equalities(dependency.equalities)}" if dependency.equalities else ""
    when = _describe_interval(dependency.interval) if dependency.interval else ""
    semi_join_text = _describe_semi_join(dependency.semi_join) if dependency.semi_join else ""
    by = ", ".join(sorted(dependency.referenced_columns))
    return f"which {dependency.table} there are{which}{when}{semi_join_text} (by {by})"


def _describe_semi_join(via: SemiJoin) -> str:
    which = f" with {_describe_equalities(via.equalities)}" if via.equalities else ""
    when = _describe_interval(via.interval) if via.interval else ""
    return f", for a {via.table}{which}{when}"


def _describe_equalities(pairs: Iterable[tuple[str, str]]) -> str:
    return " and ".join(f"{name} {value}" for name, value in pairs)


def _describe_interval(between: Interval) -> str:
    show = str if between.is_number else _microseconds
    low = f" from {show(between.low)}" if between.low is not None else ""
    high = f" up to {show(between.high)}" if between.high is not None else ""
    return f", {between.column}{low}{high}"


def _microseconds(key: int) -> str:
    """Format the sort key of an instant."""
    try:
        return _instant(EPOCH + timedelta(microseconds=key))
    except OverflowError:
        return str(key)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


class Describable(Protocol):
    """A report that has a text form and a JSON form."""

    def to_lines(self) -> Iterator[str]:
        """Return the lines for the terminal."""

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a URL is cached or not, where, and its dependencies.

    `fresh` tells whether the newest registered copy has the same ETag as a page rendered now; None
    if none is registered or the page has no ETag.
    """

    url: str
    status: int
    policy: str
    unshareable_reason: str
    variants: tuple[RegisteredVariant, ...]
    fresh: bool | None
    built_from: tuple[str, ...]
    last_change: LastChange | None
    places: Describable | None = None

    def to_lines(self) -> Iterator[str]:
        """Return the lines for the terminal."""
        yield f"{self.url} returns {self.status} under the policy {self.policy}."
        if self.unshareable_reason:
            yield f"It is not shared: {self.unshareable_reason}"
        for copy in self.variants:
            yield f"It is {copy.to_text()}."
        if not self.variants:
            yield "It is not registered: no shared cache may hold it now."
        if self.fresh is False:
            yield "The registered copy differs from the page as it is rendered now."
        yield from self.places.to_lines() if self.places is not None else ()
        if self.last_change is not None:
            at = f", on {_instant(self.last_change.at)}" if self.last_change.at else ""
            entry, what = self.last_change.entry, self.last_change.what
            yield f"Last affected by change {entry} of the log{at}: {what}."
        elif self.built_from:
            yield "No change in the log has affected it."
        if self.built_from:
            yield "It depends on:"
            yield from (f"  {line}" for line in self.built_from)

    def to_json(self) -> dict[str, Any]:
        """Return JSON-ready data; its keys are public."""
        return {
            "url": self.url,
            "status": self.status,
            "policy": self.policy,
            "refused": self.unshareable_reason,
            "kept": [variant.to_json() for variant in self.variants],
            "fresh": self.fresh,
            "built_from": list(self.built_from),
            "touched": self.last_change and self.last_change.to_json(),
            "places": self.places and self.places.to_json(),
        }
