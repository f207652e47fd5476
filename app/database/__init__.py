"""How the two databases are spoken to: models' base, engines, migrations, errors."""

from __future__ import annotations

from .base import Base, Instant
from .engine import PATIENCE, WRITING, engine_options, listen
from .migrations import BrokenReferences, Migrations, NewerDatabase
from .trouble import DatabaseTrouble

__all__ = [
    "PATIENCE",
    "WRITING",
    "Base",
    "BrokenReferences",
    "DatabaseTrouble",
    "Instant",
    "Migrations",
    "NewerDatabase",
    "engine_options",
    "listen",
]
