from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from multiprocessing import sharedctypes
from typing import TYPE_CHECKING

import pytest

from app.edge.gateway.collapsing import CollapseRole
from app.edge.gateway.file_collapsing import FileCollapser
from tests.edge.gateway.child_processes import finish, run, running, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = timedelta(seconds=20)
NOW = timedelta(0)


class Holder:
    """Another process that leads a key until it is released or killed."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder, self._key = folder, key
        self._up, self._down = os.pipe(), os.pipe()

    def __call__(self) -> None:
        """Lead until released."""
        with FileCollapser(self._folder).elect(self._key, NOW) as role:
            os.write(self._up[1], role.name[:1].encode())
            os.read(self._down[0], 1)

    def entered(self) -> bytes:
        """Wait until it has entered, and return the first letter of its role."""
        return os.read(self._up[0], 1)

    def leave(self) -> None:
        """Release the leadership."""
        os.write(self._down[1], b".")


Hold = Callable[[bytes], Holder]


@pytest.fixture
def child_pids() -> Iterator[list[int]]:
    """List the child processes that still have to be ended."""
    with running() as pids:
        yield pids


@pytest.fixture
def hold(tmp_path: Path, child_pids: list[int]) -> Hold:
    """Start a process that leads a key."""

    def hold(key: bytes) -> Holder:
        holder = Holder(tmp_path, key)
        child_pids.append(start(holder))
        assert holder.entered() == b"L"
        return holder

    return hold


def test_the_first_leads_and_who_waits_follows(tmp_path: Path) -> None:
    """Threads of one process: one fetches, the others continue when it has left."""
    collapse = FileCollapser(tmp_path)
    roles: list[CollapseRole] = []

    def follow() -> None:
        with FileCollapser(tmp_path).elect(b"k", LONG) as role:
            roles.append(role)

    threads = [threading.Thread(target=follow) for _ in range(3)]
    with collapse.elect(b"k", LONG) as leader:
        for thread in threads:
            thread.start()
        assert roles == []
    for thread in threads:
        thread.join()
    assert leader is CollapseRole.LEADER
    assert len(roles) == 3
    assert CollapseRole.ALONE not in roles


def test_another_process_is_waited_for(tmp_path: Path, hold: Hold) -> None:
    """The leader is in another process; all threads here follow when it leaves."""
    holder = hold(b"k")
    collapse = FileCollapser(tmp_path)
    roles: list[CollapseRole] = []

    def follow() -> None:
        with collapse.elect(b"k", LONG) as role:
            roles.append(role)

    threads = [threading.Thread(target=follow) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert roles == []
    holder.leave()
    for thread in threads:
        thread.join()
    assert roles.count(CollapseRole.FOLLOWER) >= 1
    assert CollapseRole.ALONE not in roles


def test_the_wait_is_bounded(tmp_path: Path, hold: Hold) -> None:
    """A wait that times out continues alone, for a leader in this or another process."""
    hold(b"far")
    collapse = FileCollapser(tmp_path)
    began = time.monotonic()
    with collapse.elect(b"far", timedelta(milliseconds=50)) as far:
        assert far is CollapseRole.ALONE
    assert 0.05 <= time.monotonic() - began < 5
    with collapse.elect(b"near", NOW), collapse.elect(b"near", NOW) as near:
        assert near is CollapseRole.ALONE


def test_keys_do_not_wait_for_one_another(tmp_path: Path, hold: Hold) -> None:
    """A slow page delays no request for one of a thousand other pages."""
    hold(b"slow")
    collapse = FileCollapser(tmp_path)
    for number in range(1000):
        with collapse.elect(b"page %d" % number, NOW) as role:
            assert role is CollapseRole.LEADER
    assert (tmp_path / "collapse").stat().st_size == 0


def test_a_killed_leader_is_succeeded(tmp_path: Path, hold: Hold, child_pids: list[int]) -> None:
    """The kernel releases the lock with the process."""
    hold(b"k")
    os.kill(child_pids[0], signal.SIGKILL)
    assert finish(child_pids.pop(0)) == -signal.SIGKILL
    with FileCollapser(tmp_path).elect(b"k", NOW) as role:
        assert role is CollapseRole.LEADER


def test_a_leader_that_fails_frees_the_others(tmp_path: Path) -> None:
    """An exception also ends the leadership."""
    collapse = FileCollapser(tmp_path)
    with suppress(ZeroDivisionError), collapse.elect(b"k", LONG):
        1 / 0  # noqa: B018 - the failure is the point
    with collapse.elect(b"k", NOW) as role:
        assert role is CollapseRole.LEADER


def test_a_fork_does_not_inherit_the_lead(tmp_path: Path) -> None:
    """A child that is forked while its parent leads is an independent process."""
    collapse = FileCollapser(tmp_path)

    def child() -> None:
        with collapse.elect(b"k", NOW) as role:
            assert role is CollapseRole.ALONE
        with collapse.elect(b"other", NOW) as role:
            assert role is CollapseRole.LEADER

    with collapse.elect(b"k", LONG):
        assert run(child) == 0
        assert run(child) == 0
    with collapse.elect(b"k", NOW) as role:
        assert role is CollapseRole.LEADER


def test_a_folder_that_cannot_be_made_means_alone(tmp_path: Path) -> None:
    """Without locks every request fetches, and none fails."""
    (tmp_path / "file").touch()
    collapse = FileCollapser(tmp_path / "file" / "cache")
    for _ in range(2):
        with collapse.elect(b"k", LONG) as role:
            assert role is CollapseRole.ALONE


def test_a_deleted_folder_is_made_anew(tmp_path: Path) -> None:
    """Collapsers from before and after the deletion share the new file."""
    collapse = FileCollapser(tmp_path / "cache")
    with collapse.elect(b"k", NOW) as role:
        assert role is CollapseRole.LEADER
    (tmp_path / "cache" / "collapse").unlink()
    (tmp_path / "cache").rmdir()
    with collapse.elect(b"k", NOW) as role:
        assert role is CollapseRole.LEADER
        holder = Holder(tmp_path / "cache", b"k")
        with running(holder):
            assert holder.entered() == b"A"
            holder.leave()


class Site:
    """Pages that render slowly and are stored in shared memory of all processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.fetch_counts = sharedctypes.RawArray("i", 20)
        self.stored_flags = sharedctypes.RawArray("i", 20)

    def request(self, collapse: FileCollapser, page: int) -> None:
        """Return a page from the store, or render it."""
        with collapse.elect(b"page %d" % page, LONG) as role:
            assert role is not CollapseRole.ALONE
            if self.stored_flags[page]:
                return
            assert role is CollapseRole.LEADER
            self.fetch_counts[page] += 1
            time.sleep(0.005)  # the render
            self.stored_flags[page] = 1

    def visit(self) -> None:
        """Get all pages with four threads."""
        collapse = FileCollapser(self.folder)
        with ThreadPoolExecutor(4) as pool:
            for visit in [pool.submit(self._visit, collapse) for _ in range(4)]:
                visit.result()

    def _visit(self, collapse: FileCollapser) -> None:
        for page in range(20):
            self.request(collapse, page)


def test_one_request_of_many_asks_the_origin(tmp_path: Path) -> None:
    """Four processes with four threads miss at once: each page is fetched once."""
    site = Site(tmp_path)
    with running(*[site.visit] * 4) as pids:
        while pids:
            assert finish(pids[0]) == 0
            pids.pop(0)
    assert list(site.fetch_counts) == [1] * 20
