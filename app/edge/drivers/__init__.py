"""One file per edge: how it is told to forget a page.

A driver neither logs nor sleeps nor retries: it raises PurgeError, and the relay decides.
"""

from __future__ import annotations

from .base import Checks, Driver, Limits, PassesOn, PurgeError, Target

__all__ = ["Checks", "Driver", "Limits", "PassesOn", "PurgeError", "Target"]
