"""What one execution found, in forms that are quick to note and are spelt out only when asked.

Both are known by identity: whoever works something out for one of them may keep it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Any

from ..changes.encoding import encode_value
from .dependency import Dependency, Row, Table

_UNKNOWN = object()
"""A key that has no spelling, so that the whole table counts as read."""


@dataclass(frozen=True, slots=True, eq=False)
class DependencyGroup:
    """Dependencies that come together: what a statement with certain parameters reads."""

    dependencies: tuple[Dependency, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class KeyedTable:
    """The rows of one table that a statement returns, by their primary key."""

    table: str
    key_positions: tuple[tuple[str, int], ...]
    """The names of the primary key's columns, and where they stand in a result row."""
    columns: frozenset[str]
    _get_key: Callable[[Any], Any] = field(init=False)

    def __post_init__(self) -> None:
        """Work out how to take a key from a row."""
        object.__setattr__(
            self, "_get_key", itemgetter(*(position for _, position in self.key_positions))
        )

    def extract_keys(self, rows: Iterable[Any]) -> set[Any]:
        """The keys as the driver gave them, a value or a tuple of several.

        An outer join that found nothing has none.
        """
        try:
            keys = set(map(self._get_key, rows))
        except TypeError:  # an array or a JSON document, which no set takes
            return {
                _UNKNOWN if len(self.key_positions) == 1 else (_UNKNOWN,) * len(self.key_positions)
            }
        if len(self.key_positions) > 1:
            return {key for key in keys if None not in key}
        keys.discard(None)
        return keys

    def is_covered_by(self, other: KeyedTable) -> bool:
        """Tell whether the other reads more columns of the same rows, and these among them."""
        return self.table == other.table and self.columns < other.columns

    def to_dependency(self, key: Any) -> Dependency:
        """The row with this key."""
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
        """The rows with these keys."""
        return map(self.to_dependency, keys)
