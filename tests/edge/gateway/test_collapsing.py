from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

from app.edge.gateway.collapsing import Role, ThreadCollapse

LONG = timedelta(seconds=10)
NOW = timedelta(0)


def test_the_first_leads_and_the_others_follow() -> None:
    """A follower goes on when the leader has left, and is told so."""
    collapse = ThreadCollapse()
    roles: list[Role] = []

    def follow() -> None:
        with collapse.lead(b"k", LONG) as role:
            roles.append(role)

    with collapse.lead(b"k", LONG) as leader:
        threads = [threading.Thread(target=follow) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert roles == []
    for thread in threads:
        thread.join()
    assert leader is Role.LEADER
    assert len(roles) == 3
    assert set(roles) <= {Role.FOLLOWER, Role.LEADER}


def test_the_wait_is_bounded() -> None:
    """Who has waited long enough goes alone."""
    collapse = ThreadCollapse()
    with collapse.lead(b"k", LONG), collapse.lead(b"k", NOW) as second:
        assert second is Role.ALONE


def test_keys_do_not_wait_for_one_another() -> None:
    """Another page has a leader of its own."""
    collapse = ThreadCollapse()
    with collapse.lead(b"k", LONG), collapse.lead(b"l", NOW) as second:
        assert second is Role.LEADER


def test_a_leader_that_fails_frees_the_others() -> None:
    """An exception ends the lead as well."""
    collapse = ThreadCollapse()
    with suppress(ZeroDivisionError), collapse.lead(b"k", LONG):
        1 / 0  # noqa: B018 - the failure is the point
    with collapse.lead(b"k", NOW) as role:
        assert role is Role.LEADER
