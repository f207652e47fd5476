"""The columns of a table that a SELECT returns, and those that its statement references."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy.sql import visitors

from .clauses import foreign_key_in, parts_besides_columns, underlying_column
from .compiled_selects import CompiledSelect, CompiledStatement
from .from_clause import FromTable
from .sqlalchemy_private import result_columns


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectColumns:
    """Finds how one SELECT of a statement uses the columns of a table in its FROM clause."""

    statement: CompiledStatement
    compiled_select: CompiledSelect

    def result_positions(self, element: FromTable) -> tuple[dict[str, int], set[str]]:
        """Return the positions of plainly selected columns in a result row, and their names."""
        if not self.compiled_select.is_outermost:
            return {}, set()
        positions: dict[str, int] = {}
        for index, entry in enumerate(result_columns(self.statement.compiled)):
            column = underlying_column(entry.objects[0]) if entry.objects else None
            if column is not None and element.owns(column):
                positions.setdefault(column.name, index)
        return positions, set(positions)

    def referenced_columns(self, element: FromTable, *, exclude_selected: bool) -> set[str]:
        """Return the table's columns that are referenced anywhere in the statement."""
        names = self._count_references(element, exclude_selected=exclude_selected)
        return set(names - Counter(self._left_join_columns(element)) if exclude_selected else names)

    def _count_references(self, element: FromTable, *, exclude_selected: bool) -> Counter[str]:
        return Counter(
            name
            for part in self._parts(exclude_selected=exclude_selected)
            for column in visitors.iterate(part)
            if (name := element.column_named_by(column))
        )

    def _left_join_columns(self, element: FromTable) -> Iterator[str]:
        """Yield columns that are used only to LEFT JOIN one row by its primary key.

        They affect neither the set nor the order of rows, so they count only as columns of the
        returned rows.
        """
        for other, condition in element.left_joins:
            key = [column.name for column in other.table.primary_key]
            column = foreign_key_in(condition, other, element, key[0]) if len(key) == 1 else None
            only = self._count_references(other, exclude_selected=True) == Counter(key)
            if only and column in self.result_positions(element)[1]:
                yield column

    def _parts(self, *, exclude_selected: bool) -> Iterator[Any]:
        for one in self.statement.selects:
            if exclude_selected and one is self.compiled_select:
                yield from parts_besides_columns(one.select)
            else:
                yield one.select
                yield from one.select.get_final_froms()
                yield from () if one.is_exists else one.select.inner_columns
