"""What a response was built from, as values that a change matches or does not."""

from __future__ import annotations

from .analysis import Plan, Unreadable, analyse
from .dependency import Between, Dependency, Part, Range, Row, Table, Via, matches
from .public_schema import Schema
from .recorder import Record, recording

__all__ = [
    "Between",
    "Dependency",
    "Part",
    "Plan",
    "Range",
    "Record",
    "Row",
    "Schema",
    "Table",
    "Unreadable",
    "Via",
    "analyse",
    "matches",
    "recording",
]
