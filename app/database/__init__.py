"""Access to SQLite and PostgreSQL: the base of the models, engines, migrations, errors."""

from __future__ import annotations

from . import copies
from .base import Base, Instant
from .copies import remove_log
from .copy_errors import BackupError
from .engine import PATIENCE, WRITING, engine_options, listen
from .errors import UnusableDatabaseError, is_away
from .migrations import BrokenReferences, Migrations, NewerDatabase

__all__ = [
    "PATIENCE",
    "WRITING",
    "BackupError",
    "Base",
    "BrokenReferences",
    "Instant",
    "Migrations",
    "NewerDatabase",
    "UnusableDatabaseError",
    "copies",
    "engine_options",
    "is_away",
    "listen",
    "remove_log",
]
