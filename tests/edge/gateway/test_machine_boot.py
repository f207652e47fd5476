"""The id of the machine's boot, and of the namespace of its processes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.edge.gateway.store.lmdb import machine_boot
from tests.edge.gateway.child_processes import run

BOOT_FILE = Path("/proc/sys/kernel/random/boot_id")


@pytest.fixture(autouse=True)
def _uncached() -> None:
    """Let each test determine the id."""
    machine_boot.boot_id.cache_clear()


@pytest.fixture
def linux(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file from which Linux's id is read in this test."""
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(machine_boot, "_LINUX", tmp_path / "boot_id")
    return tmp_path / "boot_id"


@pytest.mark.skipif(not BOOT_FILE.exists(), reason="needs Linux")
def test_all_processes_of_a_boot_have_the_id_of_the_kernel() -> None:
    """It is one word, because it is a word of the store's identity file."""
    expected = BOOT_FILE.read_text().strip()
    assert machine_boot.boot_id() == expected
    assert expected.split() == [expected]

    def other_process() -> None:
        machine_boot.boot_id.cache_clear()
        assert machine_boot.boot_id() == expected

    assert run(other_process) == 0


@pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
def test_without_an_id_each_process_has_its_own(linux: Path, content: bytes | None) -> None:
    """A store of an earlier process is then discarded, which costs a refill and no correctness."""
    if content is not None:
        linux.write_bytes(content)
    first = machine_boot.boot_id()
    assert first.startswith("unknown-")
    assert machine_boot.boot_id() == first
    machine_boot.boot_id.cache_clear()
    assert machine_boot.boot_id() not in {first, "unknown-"}


def test_the_newline_is_no_part_of_the_id(linux: Path) -> None:
    """The identity file is one line."""
    linux.write_text("a-b-c\n")
    assert machine_boot.boot_id() == "a-b-c"


@pytest.mark.parametrize(
    ("command", "boot"),
    [
        (("/bin/echo", "A-B"), "A-B"),
        (("/bin/echo",), None),
        (("/bin/sh", "-c", "echo A-B; exit 1"), None),
        (("/nowhere/sysctl",), None),
    ],
)
def test_on_macos_a_command_gives_the_id(
    linux: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...], boot: str | None
) -> None:
    """Its output is used only if it succeeds; Linux's file has no meaning there."""
    linux.write_text("of-linux")
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(machine_boot, "_DARWIN", command)
    result = machine_boot.boot_id()
    assert result == boot or (boot is None and result.startswith("unknown-"))


def test_processes_of_one_machine_share_a_namespace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system without /proc has one namespace only."""
    here = machine_boot.pid_namespace()
    assert run(lambda: _require(machine_boot.pid_namespace() == here)) == 0
    if sys.platform == "linux":
        assert here.startswith("pid:[")

    def fail(_path: Path) -> Path:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "readlink", fail)
    assert machine_boot.pid_namespace() == "only"


def _require(condition: bool) -> None:
    assert condition
