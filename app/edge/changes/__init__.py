"""What a write touched: triggers on the watched tables, and the log that they keep."""

from __future__ import annotations

from .log_position import changed_since, mark
from .tables import define_tables
from .triggers import drift, install, remove
from .watched_table import Watched

__all__ = ["Watched", "changed_since", "define_tables", "drift", "install", "mark", "remove"]
