"""Record and analyse the database reads of a response as dependencies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import export_lazily

if TYPE_CHECKING:
    from .analysis import DependencyPlan, UnshareableQueryError, analyse_select
    from .dependency import Dependency, Interval, Range, Row, SemiJoin, Table, matches
    from .part import Part
    from .public_schema import PublicSchema
    from .recorder import RenderRecord, recording
else:
    __getattr__ = export_lazily(
        __name__,
        {
            "Dependency": "dependency",
            "DependencyPlan": "analysis",
            "Interval": "dependency",
            "Part": "part",
            "PublicSchema": "public_schema",
            "Range": "dependency",
            "RenderRecord": "recorder",
            "Row": "dependency",
            "SemiJoin": "dependency",
            "Table": "dependency",
            "UnshareableQueryError": "analysis",
            "analyse_select": "analysis",
            "matches": "dependency",
            "recording": "recorder",
        },
    )

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
