"""The throttle: delays, keys, and counting in one statement."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from app.extensions import db
from app.publishing.models import Throttle
from app.publishing.transaction import transaction
from app.studio import throttle
from app.studio.throttle import LIMITS, Kind

NOW = datetime(2026, 5, 4, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("kind", "failures", "delay"),
    [
        (Kind.PAIR, 4, 0),
        (Kind.PAIR, 5, 2),
        (Kind.PAIR, 6, 4),
        (Kind.PAIR, 13, 512),
        (Kind.PAIR, 14, 900),
        (Kind.PAIR, 10_000, 900),
        (Kind.NETWORK, 19, 0),
        (Kind.NETWORK, 20, 2),
        (Kind.NETWORK, 1_000, 900),
        (Kind.ACCOUNT, 49, 0),
        (Kind.ACCOUNT, 50, 10),
        (Kind.ACCOUNT, 10_000, 10),
    ],
)
def test_a_delay_doubles_up_to_its_limit(kind: Kind, failures: int, delay: int) -> None:
    """An account alone is never delayed for longer than ten seconds, so no user is locked out."""
    assert LIMITS[kind].delay(failures) == delay * SECOND


@pytest.mark.parametrize(
    ("age", "rest"),
    [
        (timedelta(0), 8),
        (3 * SECOND, 5),
        (8 * SECOND, 0),
        (timedelta(hours=1), 0),
        (timedelta(hours=-5), 8),
    ],
)
def test_a_delay_ends(age: timedelta, rest: int) -> None:
    """Also if the clock was set back: it is never longer than it was."""
    assert throttle.remaining(Kind.PAIR, 7, NOW - age, NOW) == rest * SECOND


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        (None, ""),
        ("unix:", ""),
    ],
)
def test_a_network_is_what_one_client_may_have(address: str | None, network: str) -> None:
    """An attacker with IPv6 has a whole /64."""
    assert throttle.network_of(address) == network


def test_the_keys_name_nobody(app: Flask) -> None:
    """The table holds keyed hashes; every key is another one."""
    keys = throttle.keys_for("ada@example.com", "203.0.113.0/24")
    assert {key.kind for key in keys} == set(Kind)
    assert len({key.value for key in keys}) == 3
    assert not any("ada" in key.value or "203" in key.value for key in keys)
    assert [key.kind for key in throttle.keys_for("ada@example.com", "")] == [Kind.ACCOUNT]


def count(keys: list[throttle.Key], at: datetime) -> None:
    """Count a failure."""
    with transaction() as session:
        throttle.count_failure(session, keys, at)


def test_failures_are_counted_for_an_hour(any_app: Flask) -> None:
    """After an hour without a failure counting begins again."""
    keys = throttle.keys_for("ada@example.com", "203.0.113.0/24")
    for minute in (0, 50, 100):
        count(keys, NOW + timedelta(minutes=minute))
    assert set(db.session.scalars(sa.select(Throttle.failures))) == {3}
    count(keys, NOW + timedelta(minutes=161))
    assert set(db.session.scalars(sa.select(Throttle.failures))) == {1}


def test_the_longest_delay_of_all_keys_counts(any_app: Flask) -> None:
    """The keys that another account shares count as well."""
    first = throttle.keys_for("ada@example.com", "203.0.113.0/24")
    for _ in range(19):
        count(first, NOW)
    other = throttle.keys_for("bo@example.com", "203.0.113.0/24")
    assert throttle.find_delay(db.session(), other, NOW) == timedelta(0)
    count(other, NOW)
    assert throttle.find_delay(db.session(), other, NOW) == 2 * SECOND
    assert throttle.find_delay(db.session(), first, NOW) == timedelta(minutes=15)
    other_network = throttle.keys_for("ada@example.com", "198.51.100.0/24")
    assert throttle.find_delay(db.session(), other_network, NOW) == timedelta(0)
