"""Verify: audits a live site from outside, and says in plain words what its caches do."""

from __future__ import annotations

from .address import Unable
from .audit import Wishes, check
from .finding import Finding, Kind, Level
from .ours import Ours
from .prober import Limits
from .report import Report
from .watch import watch

__all__ = [
    "Finding",
    "Kind",
    "Level",
    "Limits",
    "Ours",
    "Report",
    "Unable",
    "Wishes",
    "check",
    "watch",
]
