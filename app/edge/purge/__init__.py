"""The purge outbox, stored in the content database, and the relay that delivers it.

A purge is committed with the resolution of its change, and stays in the outbox until the edge has
accepted it. No failure of a process, a network or an edge loses a purge.
"""

from __future__ import annotations

from .breaker import open_breakers
from .entry_state import EntryState
from .leader import create_leader
from .maintenance import resume_tier, retire_tier, retry_dead_letters
from .outbox import enqueue_resolution, resolve_and_enqueue
from .relay import Relay
from .status import PurgeStatus, TierStatus, purge_status
from .tables import define_tables
from .tier import Tier

__all__ = [
    "EntryState",
    "PurgeStatus",
    "Relay",
    "Tier",
    "TierStatus",
    "create_leader",
    "define_tables",
    "enqueue_resolution",
    "open_breakers",
    "purge_status",
    "resolve_and_enqueue",
    "resume_tier",
    "retire_tier",
    "retry_dead_letters",
]
