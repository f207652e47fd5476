"""Which pages are out there and what each was built from; and which of them a change touches."""

from __future__ import annotations

from .capacity import Bound
from .page import Page
from .register import Registered, register
from .resolve import Resolution, resolve
from .tables import define_tables

__all__ = ["Bound", "Page", "Registered", "Resolution", "define_tables", "register", "resolve"]
