"""Drivers that purge edges, and generators of their configuration, one module or folder per vendor.

A driver does not log, sleep or retry: it raises PurgeError, and the relay decides.
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
