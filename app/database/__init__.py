"""How the two databases are spoken to: models' base, engines, migrations, errors."""

from __future__ import annotations

from . import copies
from .base import Base, Instant
from .copies import remove_log
from .copy_errors import BackupError
from .engine import PATIENCE, WRITING, engine_options, listen
from .migrations import BrokenReferences, Migrations, NewerDatabase
from .trouble import UnusableDatabaseError, is_away

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
