from __future__ import annotations

import re
import subprocess

import pytest

from app.config import ROOT

MACHINE = re.compile(rb"(?<![\w.:/-])/(?:home|Users|root|work)/[\w.-]+|[A-Z]:\\Users\\")
"""How the paths of somebody's own machine begin."""


def tracked() -> list[str]:
    """The files that are in the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is a copy without its history")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return [name for name in listed.stdout.split("\0") if name]


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    """What works here must work elsewhere."""
    matches = {
        name: match.group()
        for name in tracked()
        if (ROOT / name).is_file() and (match := MACHINE.search((ROOT / name).read_bytes()))
    }
    assert matches == {}


def test_no_merge_was_left_half_way() -> None:
    """No file holds both sides of a conflict."""
    marks = re.compile(rb"^(<{7}|>{7}) ", re.MULTILINE)
    there = (name for name in tracked() if (ROOT / name).is_file())
    assert [name for name in there if marks.search((ROOT / name).read_bytes())] == []


def test_nothing_private_is_in_the_repository() -> None:
    """No environment file, no secret, no database."""
    private = re.compile(r"(^|/)(\.env|secret_key|.*\.db(-wal|-shm)?|.*\.pem)$")
    assert [name for name in tracked() if private.search(name)] == []


def test_every_requirement_is_pinned_and_hashed() -> None:
    """An installation is the same everywhere, and comes from no folder or address of its own."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        packages = re.findall(r"^\S.*\\$", text, re.MULTILINE)
        assert packages
        assert all(re.match(r"[\w.-]+==\S+", package) for package in packages)
        assert "file:" not in text
        assert "://" not in text
