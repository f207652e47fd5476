"""Entries of the change log are parsed; an entry that can't be parsed purges everything."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.edge.changes.change import Change, Op

AT = datetime(2026, 5, 1, tzinfo=UTC)
READABLE: dict[str, tuple[tuple[Any, ...], int, frozenset[str]]] = {
    "insert": (("I", None, '{"id": 1}', None), 1, frozenset()),
    "update": (("U", '{"id": 1}', '{"id": 2}', '["id", "a"]'), 2, frozenset({"id", "a"})),
    "delete": (("D", '{"id": 1}', None, None), 1, frozenset()),
    "an empty image": (("D", "{}", None, None), 1, frozenset()),
    "truncate": (("T", None, None, None), 0, frozenset()),
    "empty texts": (("T", "", "", ""), 0, frozenset()),
}


@pytest.mark.parametrize(("entry", "images", "columns"), READABLE.values(), ids=READABLE)
def test_an_entry_has_its_images_and_columns(
    entry: tuple[Any, ...], images: int, columns: frozenset[str]
) -> None:
    """An image without columns exists nevertheless."""
    op, old, new, columns_changed = entry
    change = Change.from_row("t", op, (old, new), columns_changed, AT)
    assert (change.op, len(change.images), change.changed_columns) == (Op(op), images, columns)
    assert (change.table, change.written_at) == ("t", AT)


BROKEN = [
    ("X", None, None, None),
    ("I", None, "{", None),
    ("D", "]", None, None),
    ("U", "{}", "{}", "[a"),
]


@pytest.mark.parametrize("entry", BROKEN, ids=str)
def test_an_entry_that_cant_be_parsed_means_everything(entry: tuple[Any, ...]) -> None:
    """Its time is kept."""
    op, old, new, columns_changed = entry
    change = Change.from_row("t", op, (old, new), columns_changed, AT)
    assert (change.op, change.written_at) == (Op.EVERYTHING, AT)
