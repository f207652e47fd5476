"""Which tables may be read for the public, and how finely they are watched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from ..changes.watched_table import Watched

PURE = frozenset(
    [
        *("abs", "avg", "coalesce", "concat", "count", "extract", "length", "lower", "ltrim"),
        *("max", "min", "nullif", "replace", "round", "rtrim", "substr", "substring"),
        *("sum", "trim", "upper"),
        *("cume_dist", "dense_rank", "first_value", "lag", "last_value", "lead", "nth_value"),
        *("ntile", "percent_rank", "rank", "row_number"),
    ],
)
"""SQL functions that read nothing but their arguments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The watched tables by name; `derived` names the base tables of a view or a search index."""

    watched: Mapping[str, Watched]
    derived: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    functions: frozenset[str] = PURE

    @classmethod
    def of(
        cls,
        watched: Iterable[Watched],
        *,
        derived: Mapping[str, tuple[str, ...]] | None = None,
        functions: Iterable[str] = (),
    ) -> Schema:
        """A schema of these tables; `functions` are further ones that read nothing else."""
        return cls(
            watched={table.table: table for table in watched},
            derived=dict(derived or {}),
            functions=PURE | frozenset(functions),
        )

    def knows(self, name: str) -> bool:
        """Tell whether a table may be read for the public."""
        return name in self.watched or name in self.derived
