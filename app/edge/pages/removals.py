"""Leaving: which pages may have lost something that must not be shown any more.

A page that is not found here may be shown once more, while the origin fails. What is hidden by
adding a row (to a list of what is blocked) is not seen; what is hidden by a row's own change is.
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
    """The probes of rows as they were, where they may be no more what a page has found them by."""
    lookups: Lookups = defaultdict(set)
    for change in changes:
        of_table = shapes.get(change.table, ())
        compared = {
            name for shape in of_table for name in shape.equality_columns if shape.kind == "range"
        }
        before = replace(change, new=None)
        for shape in of_table:
            if shape.may_match(change) and _may_remove_row(shape, change, compared):
                for lookup in shape.lookups(before, joined_rows):
                    if lookup is not None:
                        lookups[lookup[0]].add(lookup[1])
    return lookups


def _may_remove_row(shape: DependencyShape, change: Change, compared: set[str]) -> bool:
    """Tell whether a change may take a row away from pages of this shape."""
    if change.op is Op.INSERT or shape.kind == "part":
        return False  # what a release exchanged was never a row that somebody took back
    if change.op is Op.UPDATE and shape.kind == "row":
        # A view may look by itself at what other pages compare in SQL.
        return not compared.isdisjoint(change.changed_columns)
    return True
