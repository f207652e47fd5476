"""The throttle of log-ins: it counts failures in the database, before a password is hashed.

No user is locked out for good: each delay ends, and counting begins again after an hour without a
failure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.publishing.models import Throttle

from .tokens import sign


class Kind(StrEnum):
    """What the failures of a key have in common."""

    PAIR = "account and network"
    NETWORK = "network"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many failures are free, and how long the next attempt has to wait after them.

    The delay doubles with each failure from `first` to `longest`.
    """

    free: int
    first: timedelta
    longest: timedelta

    def delay(self, failures: int) -> timedelta:
        """Return the delay after this number of failures."""
        excess = failures - self.free
        if excess < 0:
            return timedelta(0)
        delay: timedelta = self.first * 2 ** min(excess, 20)
        return min(self.longest, delay)


LIMITS = {
    Kind.PAIR: Limit(free=5, first=timedelta(seconds=2), longest=timedelta(minutes=15)),
    Kind.NETWORK: Limit(free=20, first=timedelta(seconds=2), longest=timedelta(minutes=15)),
    Kind.ACCOUNT: Limit(free=50, first=timedelta(seconds=10), longest=timedelta(seconds=10)),
}
FORGOTTEN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key of the throttle, as it is stored."""

    kind: Kind
    value: str


def network_of(address: str | None) -> str:
    """Return the network of an address: /24 of IPv4, /64 of IPv6; empty for none."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return ""
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    length = 24 if ip.version == 4 else 64  # noqa: PLR2004 - the versions of IP
    return str(ipaddress.ip_network(f"{ip}/{length}", strict=False))


def keys_for(email: str, network: str) -> list[Key]:
    """Return the keys of an attempt; without a network only that of the account.

    An unknown account has keys as well, so that it is delayed like a known one.
    """
    values = {Kind.ACCOUNT: email}
    if network:
        values |= {Kind.NETWORK: network, Kind.PAIR: f"{email}\0{network}"}
    return [Key(kind=kind, value=sign(f"throttle {kind}", value)) for kind, value in values.items()]


def find_delay(session: Session, keys: Iterable[Key], now: datetime) -> timedelta:
    """Return how long this attempt has to wait; zero if it may go on."""
    by_value = {key.value: key.kind for key in keys}
    rows = session.execute(sa.select(Throttle).where(Throttle.key.in_(by_value))).scalars()
    return max(
        (remaining(by_value[row.key], row.failures, row.updated_at, now) for row in rows),
        default=timedelta(0),
    )


def remaining(kind: Kind, failures: int, failed_at: datetime, now: datetime) -> timedelta:
    """Return the rest of a delay; a clock that was set back does not prolong it."""
    age = now - failed_at
    if age >= FORGOTTEN_AFTER:
        return timedelta(0)
    delay = LIMITS[kind].delay(failures)
    return min(delay, max(timedelta(0), delay - age))


def count_failure(session: Session, keys: Iterable[Key], now: datetime) -> None:
    """Count a failure under each key, with one statement."""
    insert: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
    statement = insert[session.get_bind().dialect.name](Throttle)
    rows = [{"key": key.value, "failures": 1, "updated_at": now} for key in keys]
    is_old = Throttle.updated_at < now - FORGOTTEN_AFTER
    # Sorted, so that two transactions lock the rows in the same order.
    statement = statement.values(sorted(rows, key=lambda row: str(row["key"])))
    session.execute(
        statement.on_conflict_do_update(
            index_elements=[Throttle.key],
            set_={"failures": sa.case((is_old, 1), else_=Throttle.failures + 1), "updated_at": now},
        )
    )


def forget(session: Session, keys: Iterable[Key]) -> None:
    """Delete the failures of an account in its own network, after a log-in."""
    pairs = [key.value for key in keys if key.kind is Kind.PAIR]
    session.execute(sa.delete(Throttle).where(Throttle.key.in_(pairs)))


def delete_old(session: Session, now: datetime) -> None:
    """Delete counters that no longer count."""
    session.execute(sa.delete(Throttle).where(Throttle.updated_at < now - FORGOTTEN_AFTER))
