"""Drivers that purge edges, and generators of their configuration, one module or folder per vendor.

A driver does not log, sleep or retry: it raises PurgeError, and the relay decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import export_lazily

if TYPE_CHECKING:
    from .base import CallLimits, Driver, PurgeError, PurgeTarget, SupportsCheck
    from .driver_settings import DRIVER_SETTINGS, why_not_purgeable
    from .registry import build_driver
else:
    __getattr__ = export_lazily(
        __name__,
        {
            "CallLimits": "base",
            "DRIVER_SETTINGS": "driver_settings",
            "Driver": "base",
            "PurgeError": "base",
            "PurgeTarget": "base",
            "SupportsCheck": "base",
            "build_driver": "registry",
            "why_not_purgeable": "driver_settings",
        },
    )

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
