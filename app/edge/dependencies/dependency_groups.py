"""Compact records of what one execution read; dependencies are built from them on demand.

Both classes compare by identity, so a result derived from an instance can be cached under it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from ..changes.encoding import encode_value
from .dependency import Dependency, Row, Table

_UNKNOWN = object()
"""Replaces a key without an encoding; the whole table becomes the dependency."""


@dataclass(frozen=True, slots=True, eq=False)
class DependencyGroup:
    """The dependencies of a statement with certain parameter values."""

    dependencies: tuple[Dependency, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyedTable:
    """A table whose rows a statement returns with their primary keys."""

    table: str
    key_positions: tuple[tuple[str, int], ...]
    """The columns of the primary key, and their positions in a result row."""
    columns: frozenset[str]
    _get_key: Callable[[Any], Any] = field(init=False)

    def __post_init__(self) -> None:
        """Create the function that extracts a key from a row."""
        object.__setattr__(
            self, "_get_key", itemgetter(*(position for _, position in self.key_positions))
        )

    def extract_keys(self, rows: Iterable[Any]) -> set[Any]:
        """Return the keys as the driver returned them: a value, or a tuple of several.

        A row of an outer join without a match has no key.
        """
        try:
            keys = set(map(self._get_key, rows))
        except TypeError:  # an array or a JSON document, which is not hashable
            return {
                _UNKNOWN if len(self.key_positions) == 1 else (_UNKNOWN,) * len(self.key_positions)
            }
        if len(self.key_positions) > 1:
            return {key for key in keys if None not in key}
        keys.discard(None)
        return keys

    def is_covered_by(self, other: KeyedTable) -> bool:
        """Return whether `other` reads a proper superset of these columns of the same table."""
        return self.table == other.table and self.columns < other.columns

    def to_dependency(self, key: Any) -> Dependency:
        """Return the row with this key; the whole table if the key has no encoding."""
        values = key if len(self.key_positions) > 1 else (key,)
        names = (name for name, _ in self.key_positions)
        encoded_key = [
            (name, encode_value(value)) for name, value in zip(names, values, strict=True)
        ]
        comparable_key = tuple((name, value) for name, value in encoded_key if value is not None)
        if len(comparable_key) < len(encoded_key):
            return Table(table=self.table)
        return Row(table=self.table, key=comparable_key, columns=self.columns)

    def to_dependencies(self, keys: Iterable[Any]) -> Iterator[Dependency]:
        """Return the rows with these keys."""
        return map(self.to_dependency, keys)
