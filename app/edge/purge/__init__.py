"""What is owed to the edges, kept beside the content, and the relay that pays it.

A purge is committed with the change that asks for it, and leaves the outbox when the edge has
taken it; no failure of a process, a network or an edge is a reason to forget one.
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
