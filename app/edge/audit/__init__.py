"""Verify: audits a live site from outside, and says in plain words what its caches do."""

from __future__ import annotations

from .audit import Wishes, check
from .findings import Finding, Kind, Level
from .prober import Limits
from .report import Report
from .site_address import Unable
from .site_profile import Ours
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
