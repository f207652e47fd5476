"""The purge outbox, stored in the content database, and the relay that delivers it.

A purge is committed with the resolution of its change, and stays in the outbox until the edge has
accepted it. No failure of a process, a network or an edge loses a purge.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy_exports import export_lazily

if TYPE_CHECKING:
    from .breaker import open_breakers
    from .entry_state import EntryState
    from .leader import create_leader
    from .maintenance import resume_tier, retire_tier, retry_dead_letters
    from .outbox import enqueue_resolution, resolve_and_enqueue
    from .relay import Relay
    from .status import PurgeStatus, TierStatus, purge_status
    from .tables import define_tables
    from .tier import Tier
else:
    __getattr__ = export_lazily(
        __name__,
        {
            "EntryState": "entry_state",
            "PurgeStatus": "status",
            "Relay": "relay",
            "Tier": "tier",
            "TierStatus": "status",
            "create_leader": "leader",
            "define_tables": "tables",
            "enqueue_resolution": "outbox",
            "open_breakers": "breaker",
            "purge_status": "status",
            "resolve_and_enqueue": "outbox",
            "resume_tier": "maintenance",
            "retire_tier": "maintenance",
            "retry_dead_letters": "maintenance",
        },
    )

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
