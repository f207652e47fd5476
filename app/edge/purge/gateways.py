"""The gateways of all machines: each that has joined is owed every change, whoever resolves it."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from .claim import introduce
from .housekeeping import retire
from .instants import micros
from .state import OPEN
from .tables import outbox
from .tables import tier as tiers
from .tier import Tier

PREFIX = "gateway-"

GONE = timedelta(days=9)
"""A gateway that took nothing for so long holds nothing that it may still serve."""


def named(name: str) -> Tier:
    """The tier of the gateway with this name."""
    return Tier(name=f"{PREFIX}{name}", depth=0)


def join(connection: Connection, gateway: Tier, now: datetime) -> bool:
    """Let a gateway be owed what changes from now on; tells whether it had not joined before."""
    known = connection.scalar(sa.select(tiers.c.name).where(tiers.c.name == gateway.name))
    if known is None:
        introduce(connection, gateway, now)
    return known is None


def joined(connection: Connection) -> list[Tier]:
    """The gateways that have joined."""
    ours = tiers.c.name.startswith(PREFIX, autoescape=True)
    return [
        Tier(name=name, depth=0) for name in connection.scalars(sa.select(tiers.c.name).where(ours))
    ]


def retire_gone(connection: Connection, now: datetime) -> None:
    """Forget the gateways that are gone for good; one that comes back begins empty."""
    oldest = sa.func.min(outbox.c.enqueued_at)
    waiting = sa.select(outbox.c.tier).where(
        outbox.c.tier.startswith(PREFIX, autoescape=True), outbox.c.state.in_(OPEN)
    )
    late = waiting.group_by(outbox.c.tier).having(oldest < micros(now - GONE))
    for name in connection.scalars(late).all():
        retire(connection, name)
