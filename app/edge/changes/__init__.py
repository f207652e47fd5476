"""The change log: triggers on the watched tables log every write to them."""

from __future__ import annotations

from .log_position import current_log_position, has_changed_since
from .tables import define_tables
from .triggers import find_drift, install_triggers, remove_triggers
from .watched_table import WatchedTable

__all__ = [
    "WatchedTable",
    "current_log_position",
    "define_tables",
    "find_drift",
    "has_changed_since",
    "install_triggers",
    "remove_triggers",
]
