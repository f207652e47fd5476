"""Find pages that need a hard purge, because a row that they show may have been hidden or deleted.

Other pages may be served stale while the origin fails. A row that is hidden by its own change is
recognized; a row that is hidden by adding another row (to a block list) is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..changes.change import Change, Op
from .dependency_shape import DependencyShape, JoinedRowLookup

Lookups = dict[int, set[int | None]]


def find_removal_lookups(
    shapes: Mapping[str, Sequence[DependencyShape]],
    changes: Iterable[Change],
    joined_rows: JoinedRowLookup,
) -> Lookups:
    """Return lookups for old row images that may no longer match the query that found them."""
    lookups: Lookups = defaultdict(set)
    for change in changes:
        of_table = shapes.get(change.table, ())
        compared = {
            name
            for shape in of_table
            if shape.kind == "range"
            for name in (*shape.equality_columns, shape.sort_column)
        }
        before = replace(change, new=None)
        for shape in of_table:
            if shape.may_match(change) and _may_remove_row(shape, change, compared):
                for lookup in shape.lookups(before, joined_rows):
                    if lookup is not None:
                        lookups[lookup[0]].add(lookup[1])
    return lookups


def _may_remove_row(shape: DependencyShape, change: Change, compared: set[str]) -> bool:
    """Return whether a change may remove a row from pages with dependencies of this shape."""
    if change.op is Op.INSERT or shape.kind == "part":
        return False  # a part that a release replaced is not removed content
    if change.op is Op.UPDATE and shape.kind == "row":
        # A view may check in Python a column that other pages compare in SQL.
        return not compared.isdisjoint(change.changed_columns)
    return True
