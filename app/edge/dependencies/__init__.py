"""Record and analyse the database reads of a response as dependencies."""

from __future__ import annotations

from .analysis import DependencyPlan, UnshareableQueryError, analyse_select
from .dependency import Dependency, Interval, Part, Range, Row, SemiJoin, Table, matches
from .public_schema import PublicSchema
from .recorder import RenderRecord, recording

__all__ = [
    "Dependency",
    "DependencyPlan",
    "Interval",
    "Part",
    "PublicSchema",
    "Range",
    "RenderRecord",
    "Row",
    "SemiJoin",
    "Table",
    "UnshareableQueryError",
    "analyse_select",
    "matches",
    "recording",
]
