"""What is owed to the edges, kept beside the content, and the relay that pays it.

A purge is committed with the change that asks for it, and leaves the outbox when the edge has
taken it; no failure of a process, a network or an edge is a reason to forget one.
"""

from __future__ import annotations

from .breaker import breakers
from .entry_state import State
from .leader import leader
from .maintenance import resume, retire, retry
from .outbox import enqueue, settle_changes
from .relay import Relay
from .status import Status, TierStatus, status
from .tables import define_tables
from .tier import Tier

__all__ = [
    "Relay",
    "State",
    "Status",
    "Tier",
    "TierStatus",
    "breakers",
    "define_tables",
    "enqueue",
    "leader",
    "resume",
    "retire",
    "retry",
    "settle_changes",
    "status",
]
