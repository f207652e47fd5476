"""The change log: triggers on the watched tables log every write to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import export_lazily

if TYPE_CHECKING:
    from .log_position import current_log_position, has_changed_since
    from .tables import define_tables
    from .triggers import find_drift, install_triggers, remove_triggers
    from .watched_table import WatchedTable
else:
    __getattr__ = export_lazily(
        __name__,
        {
            "WatchedTable": "watched_table",
            "current_log_position": "log_position",
            "define_tables": "tables",
            "find_drift": "triggers",
            "has_changed_since": "log_position",
            "install_triggers": "triggers",
            "remove_triggers": "triggers",
        },
    )

__all__ = [
    "WatchedTable",
    "current_log_position",
    "define_tables",
    "find_drift",
    "has_changed_since",
    "install_triggers",
    "remove_triggers",
]
