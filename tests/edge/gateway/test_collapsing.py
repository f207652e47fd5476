from __future__ import annotations

import threading
from contextlib import suppress
from datetime import timedelta

from app.edge.gateway.collapsing import CollapseRole, ThreadCollapser

LONG = timedelta(seconds=10)
NOW = timedelta(0)


def test_the_first_leads_and_the_others_follow() -> None:
    """A follower continues with that role when the leader has left."""
    collapse = ThreadCollapser()
    roles: list[CollapseRole] = []

    def follow() -> None:
        with collapse.elect(b"k", LONG) as role:
            roles.append(role)

    with collapse.elect(b"k", LONG) as leader:
        threads = [threading.Thread(target=follow) for _ in range(3)]
        for thread in threads:
            thread.start()
        assert roles == []
    for thread in threads:
        thread.join()
    assert leader is CollapseRole.LEADER
    assert len(roles) == 3
    assert set(roles) <= {CollapseRole.FOLLOWER, CollapseRole.LEADER}


def test_the_wait_is_bounded() -> None:
    """A request whose wait times out continues alone."""
    collapse = ThreadCollapser()
    with collapse.elect(b"k", LONG), collapse.elect(b"k", NOW) as second:
        assert second is CollapseRole.ALONE


def test_keys_do_not_wait_for_one_another() -> None:
    """Each key has its own leader."""
    collapse = ThreadCollapser()
    with collapse.elect(b"k", LONG), collapse.elect(b"l", NOW) as second:
        assert second is CollapseRole.LEADER


def test_a_leader_that_fails_frees_the_others() -> None:
    """An exception also ends the leadership."""
    collapse = ThreadCollapser()
    with suppress(ZeroDivisionError), collapse.elect(b"k", LONG):
        1 / 0  # noqa: B018 - the failure is the point
    with collapse.elect(b"k", NOW) as role:
        assert role is CollapseRole.LEADER
