from __future__ import annotations

import json
from pathlib import Path

import pytest

from .coverage_ratchet import (
    PROMISE_ROOMS,
    RECORD,
    ROOT,
    Room,
    find_losses,
    measure,
    raise_record,
    read_report,
    room_of,
)


def room(lines_run: int, branches_run: int) -> Room:
    """A room of 1,000 lines and 1,000 branches."""
    return Room(
        lines=1000,
        lines_run=lines_run,
        branches=1000,
        branches_run=branches_run,
        missing={"app/a/b.py": "7, 9"},
    )


@pytest.mark.parametrize(
    ("lines_run", "branches_run", "loses"),
    [(950, 900, False), (940, 890, False), (939, 900, True), (950, 889, True), (990, 990, False)],
)
def test_a_number_may_fall_by_the_tolerance_only(
    lines_run: int, branches_run: int, *, loses: bool
) -> None:
    """The message names the room, both numbers and the uncovered lines of the file."""
    limits = {"app/a": {"lines": 95.0, "branches": 90.0}}
    losses = list(find_losses({"app/a": room(lines_run, branches_run)}, limits))
    assert bool(losses) is loses
    assert all("app/a/b.py: 7, 9" in loss and "fell from" in loss for loss in losses)


@pytest.mark.parametrize(("lines_run", "loses"), [(48, False), (47, True)])
def test_a_small_room_may_lose_two_lines(lines_run: int, *, loses: bool) -> None:
    """They are four percent of its lines, and which of them run may depend on two threads."""
    small = Room(lines=50, lines_run=lines_run)
    assert bool(list(find_losses({"app/a": small}, {"app/a": {"lines": 100.0}}))) is loses


def test_a_recorded_room_that_was_not_measured_is_a_loss() -> None:
    """Otherwise a run without data would pass."""
    (loss,) = find_losses({}, {"app/a": {"lines": 95.0, "branches": 90.0}})
    assert "nothing of it was measured" in loss


def test_a_recorded_number_never_falls() -> None:
    """Recording raises a number, keeps a higher one, and drops a room that is gone."""
    limits = {
        "app/a": {"lines": 95.0, "branches": 90.0},
        "app/gone": {"lines": 1.0, "branches": 1.0},
    }
    assert raise_record({"app/a": room(970, 800)}, limits) == {
        "app/a": {"lines": 97.0, "branches": 90.0}
    }


def test_files_are_summed_by_room() -> None:
    """A room's percentage weighs each file by its lines."""
    summary = {"num_statements": 10, "covered_lines": 5, "num_branches": 4, "covered_branches": 1}
    whole = {"num_statements": 30, "covered_lines": 30, "num_branches": 0, "covered_branches": 0}
    rooms = read_report(
        {
            "app/edge/http/a.py": {"summary": summary, "missing_lines": [3, 4]},
            "app/edge/http/b/c.py": {
                "summary": whole,
                "missing_lines": [],
                "missing_branches": [[5, 7], [9, -1]],
            },
        }
    )
    assert rooms["app/edge/http"].percentages() == {"lines": 87.5, "branches": 25.0}
    assert rooms["app/edge/http"].missing == {
        "app/edge/http/a.py": "3, 4",
        "app/edge/http/b/c.py": "5->7, 9->exit",
    }


def test_missing_data_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    """The sentence says how to measure."""
    with pytest.raises(SystemExit, match=r"is missing: run the tests with COVERAGE=1"):
        measure(tmp_path / ".coverage")


def test_unreadable_data_is_an_error_with_a_sentence(tmp_path: Path) -> None:
    """The sentence says what to delete."""
    (tmp_path / ".coverage").write_text("no database")
    with pytest.raises(SystemExit, match="can't be read"):
        measure(tmp_path / ".coverage")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("app/edge/gateway/store/base.py", "app/edge/gateway"),
        ("app/edge/settings.py", "app/edge"),
        ("app/publishing/export.py", "app/publishing"),
        ("app/site/articles.py", "app/site"),
        ("app/logs.py", "app"),
    ],
)
def test_a_file_belongs_to_one_room(path: str, name: str) -> None:
    """A room is a folder of app, app/edge or app/publishing."""
    assert room_of(path) == name


def test_every_room_of_the_list_and_of_the_record_exists() -> None:
    """A renamed folder must not lose its promise."""
    limits = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    assert all((ROOT / name).is_dir() for name in {*PROMISE_ROOMS, *limits})
