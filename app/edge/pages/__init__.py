"""The page index: pages that edges may hold, their dependencies, and the pages a change affects."""

from __future__ import annotations

from .capacity import IndexCapacity
from .page import IndexedPage
from .register import RegistrationResult, register
from .resolve import Resolution, resolve
from .tables import define_tables

__all__ = [
    "IndexCapacity",
    "IndexedPage",
    "RegistrationResult",
    "Resolution",
    "define_tables",
    "register",
    "resolve",
]
