"""The election by a file lock among the processes of one machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.edge.purge.file_leader import FileLeader, SoleLeader
from tests.edge.gateway.child_processes import run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of the lock file."""
    return tmp_path / "leader"


def test_a_fork_does_not_inherit_the_lead(path: Path) -> None:
    """A child that resigns takes nothing from its parent either."""
    leader = FileLeader(path)
    assert leader.try_lead()

    def child() -> None:
        assert not leader.try_lead()
        leader.resign()
        assert not leader.try_lead()

    assert run(child) == 0
    assert not FileLeader(path).try_lead()
    assert leader.try_lead()
    leader.resign()
    assert FileLeader(path).try_lead()


def test_a_child_leads_after_its_parent_has_resigned(path: Path) -> None:
    """It opens the file itself, and its end releases the lock."""
    leader = FileLeader(path)
    assert leader.try_lead()
    leader.resign()

    def child() -> None:
        assert leader.try_lead()
        assert leader.try_lead()

    assert run(child) == 0
    assert leader.try_lead()
    leader.resign()


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc")
def test_attempts_without_success_leave_no_file_open(path: Path) -> None:
    """A process that waits for the lead for days would run out of files."""
    leader, other = FileLeader(path), FileLeader(path)
    assert leader.try_lead()
    count = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        assert not other.try_lead()
        assert leader.try_lead()
    assert len(list(Path("/proc/self/fd").iterdir())) == count
    leader.resign()
    assert len(list(Path("/proc/self/fd").iterdir())) == count - 1


def test_resigning_without_the_lead_changes_nothing(path: Path) -> None:
    """A process resigns at its end, whether it has led or not."""
    leader, other = FileLeader(path), FileLeader(path)
    leader.resign()
    assert leader.try_lead()
    other.resign()
    assert not other.try_lead()
    leader.resign()
    leader.resign()
    assert other.try_lead()
    other.resign()


def test_the_lock_file_is_for_its_owner_alone_and_keeps_its_content(path: Path) -> None:
    """Another user of the machine could otherwise hold the lock."""
    leader = FileLeader(path)
    assert leader.try_lead()
    assert path.stat().st_mode & 0o777 == 0o600
    leader.resign()
    path.write_text("kept")
    assert leader.try_lead()
    assert path.read_text() == "kept"
    leader.resign()


def test_an_error_of_the_file_system_is_no_lost_election(tmp_path: Path) -> None:
    """The caller must not wait for a leader that does not exist."""
    with pytest.raises(FileNotFoundError):
        FileLeader(tmp_path / "gone" / "leader").try_lead()


def test_a_single_process_always_leads() -> None:
    """Also after it has resigned."""
    leader = SoleLeader()
    assert leader.try_lead()
    leader.resign()
    assert leader.try_lead()
