"""What a response was built from, as values that a change matches or does not."""

from __future__ import annotations

from .analysis import Plan, Unreadable, analyse
from .dependency import Between, Dependency, Range, Row, Table, matches
from .schema import Schema

__all__ = [
    "Between",
    "Dependency",
    "Plan",
    "Range",
    "Row",
    "Schema",
    "Table",
    "Unreadable",
    "analyse",
    "matches",
]
