"""Access to SQLite and PostgreSQL: the base of the models, engines, migrations, errors."""

from __future__ import annotations

from .base import Base, Instant
from .engine import PATIENCE, WRITING, engine_options, listen
from .errors import UnusableDatabaseError, is_away
from .migrations import BrokenReferences, Migrations, NewerDatabase

__all__ = [
    "PATIENCE",
    "WRITING",
    "Base",
    "BrokenReferences",
    "Instant",
    "Migrations",
    "NewerDatabase",
    "UnusableDatabaseError",
    "engine_options",
    "is_away",
    "listen",
]
