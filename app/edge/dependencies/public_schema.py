"""The tables and SQL functions that shared responses may read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..changes.watched_table import WatchedTable

PURE_FUNCTIONS = frozenset(
    [
        *("abs", "avg", "coalesce", "concat", "count", "extract", "length", "lower", "ltrim"),
        *("max", "min", "nullif", "replace", "round", "rtrim", "substr", "substring"),
        *("sum", "trim", "upper"),
        *("cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value"),
        *("ntile", "percent_rank", "rank", "row_number"),
    ],
)
"""SQL functions whose result depends only on their arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicSchema:
    """The watched tables by name; `derived_tables` maps a view or search index to its tables."""

    tables: Mapping[str, WatchedTable]
    derived_tables: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    functions: frozenset[str] = PURE_FUNCTIONS

    @classmethod
    def from_watched_tables(
        cls,
        watched: Iterable[WatchedTable],
        *,
        derived: Mapping[str, tuple[str, ...]] | None = None,
        functions: Iterable[str] = (),
    ) -> PublicSchema:
        """Create a schema of these tables; `functions` are further pure SQL functions."""
        return cls(
            tables={table.table: table for table in watched},
            derived_tables=dict(derived or {}),
            functions=PURE_FUNCTIONS | frozenset(functions),
        )

    def is_public(self, name: str) -> bool:
        """Return whether a shared response may read a table."""
        return name in self.tables or name in self.derived_tables
