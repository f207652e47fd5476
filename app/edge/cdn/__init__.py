"""One file per edge: how it is told to forget a page.

A driver neither logs nor sleeps nor retries: it raises PurgeError, and the relay decides.
"""

from __future__ import annotations

from .base import Checks, Driver, Limits, PassesOn, PurgeError, TakesTime, Target
from .driver_settings import KEYS, why_not
from .registry import build

__all__ = [
    "KEYS",
    "Checks",
    "Driver",
    "Limits",
    "PassesOn",
    "PurgeError",
    "TakesTime",
    "Target",
    "build",
    "why_not",
]
