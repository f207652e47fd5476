"""One file per edge: how it is told to forget a page.

A driver neither logs nor sleeps nor retries: it raises PurgeError, and the relay decides.
"""

from __future__ import annotations

from .base import CallLimits, Driver, PurgeError, PurgeTarget, SupportsCheck
from .driver_settings import DRIVER_SETTINGS, why_not_purgeable
from .registry import build_driver

__all__ = [
    "DRIVER_SETTINGS",
    "CallLimits",
    "Driver",
    "PurgeError",
    "PurgeTarget",
    "SupportsCheck",
    "build_driver",
    "why_not_purgeable",
]
