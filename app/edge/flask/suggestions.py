"""Columns that would let changes purge pages separately if they were declared."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from ..dependencies import Range
from ..pages.dependency_shape import make_entry
from ..pages.tables import dependency as dependency_table

if TYPE_CHECKING:
    from ..dependencies.recorder import RenderRecord
    from .tracking import Tracker


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A column by which a page finds or sorts its rows, and which is not declared.

    Attributes:
        table: the table.
        column: the column.
        declaration: the field of `WatchedTable` that takes the column.
        rules: the URL rules of the pages that use it.
        pages: how many registered pages every change of the column purges.
    """

    table: str
    column: str
    declaration: str
    rules: tuple[str, ...]
    pages: int

    def to_text(self) -> str:
        """Return one sentence with the declaration to write."""
        pages = "page" if self.pages == 1 else "pages"
        return (
            f'declare {self.column}: WatchedTable(table="{self.table}", '
            f'{self.declaration}=("{self.column}",)); {self.pages} registered {pages} could be '
            f"purged separately (used by {', '.join(self.rules)})"
        )

    def to_json(self) -> dict[str, Any]:
        """Return the suggestion for JSON."""
        return asdict(self)


def find_suggestions(
    tracker: Tracker, records: Iterable[tuple[str, RenderRecord]]
) -> tuple[Suggestion, ...]:
    """Return a suggestion for each undeclared column; `records` are the rules and their records."""
    rules: dict[tuple[str, str, str], set[str]] = {}
    hashes: dict[tuple[str, str, str], set[int]] = {}
    for rule, record in records:
        for use in record.undeclared_columns:
            rules.setdefault(use, set()).add(rule)
            table, column, _ = use
            hashes.setdefault(use, set()).update(
                make_entry(one).hash
                for one in record.dependencies
                if isinstance(one, Range)
                and one.table == table
                and column in one.referenced_columns
            )
    return tuple(
        Suggestion(
            table=table,
            column=column,
            declaration=declaration,
            rules=tuple(sorted(rules[table, column, declaration])),
            pages=_count_pages(tracker, hashes[table, column, declaration]),
        )
        for table, column, declaration in sorted(rules)
    )


def _count_pages(tracker: Tracker, hashes: set[int]) -> int:
    """Return how many pages have one of these dependencies."""
    pages = sa.func.count(sa.distinct(dependency_table.c.page_id))
    query = sa.select(pages).where(dependency_table.c.hash.in_(sorted(hashes)))
    with tracker.read_transaction() as connection:
        return connection.execute(query).scalar() or 0
