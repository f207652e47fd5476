"""Compare the coverage of each room with recorded numbers that may only rise.

`python -m tests.contracts.coverage_ratchet` checks the combined data of a run under coverage;
`--record` raises the recorded numbers to the measured ones. `make coverage` measures.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from coverage import Coverage
from coverage.exceptions import CoverageException

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_name("coverage.json")
TOLERANCE = 1.0
"""Percentage points that a number may fall: some lines run only when threads meet."""

TOLERATED_COUNT = 2
"""Lines or branches that a small room may lose, although they are more than the percentage."""

PROMISED = 95.0
"""The percentage of lines and of branches in rooms that carry promises."""

PROMISE_ROOMS = (
    *(f"app/edge/{room}" for room in ("policy", "http", "gateway", "dependencies", "changes")),
    *(f"app/edge/{room}" for room in ("pages", "purge", "cdn", "static", "flask")),
    *(f"app/publishing/{room}" for room in ("actions", "editing", "importing")),
    "app/site",
)
_PARENTS = ("app/edge", "app/publishing", "app")


@dataclass(slots=True, kw_only=True)
class Room:
    """Lines and branches of one room, how many of them ran, and those that did not."""

    lines: int = 0
    lines_run: int = 0
    branches: int = 0
    branches_run: int = 0
    missing: dict[str, str] = field(default_factory=dict)

    def percentages(self) -> dict[str, float]:
        """Return the percentages of lines and of branches that ran."""
        return {
            "lines": _percentage(self.lines_run, self.lines),
            "branches": _percentage(self.branches_run, self.branches),
        }

    def find_falls(self, limits: Mapping[str, float]) -> Iterable[str]:
        """Yield both numbers of each kind that fell below its limit by more than the tolerance."""
        totals = {"lines": self.lines, "branches": self.branches}
        percentages = self.percentages()
        for kind, limit in limits.items():
            tolerance = max(TOLERANCE, _percentage(TOLERATED_COUNT, totals[kind]))
            if percentages[kind] < limit - tolerance:
                yield f"{kind} fell from {limit} % to {percentages[kind]} %"


def _percentage(count: int, total: int) -> float:
    return round(100 * count / total, 1) if total else 100.0


def room_of(path: str) -> str:
    """Return the room of a file: a folder of app, app/edge or app/publishing."""
    for parent in _PARENTS:
        rest = path.removeprefix(f"{parent}/")
        if rest != path:
            folder, slash, _ = rest.partition("/")
            return f"{parent}/{folder}" if slash else parent
    return "."


def measure(data_file: Path) -> dict[str, Room]:
    """Read the combined data of a run; raise SystemExit if there is none."""
    if not data_file.is_file():
        sys.exit(f"{data_file} is missing: run the tests with COVERAGE=1 (make coverage).")
    coverage = Coverage(data_file=str(data_file), config_file=str(ROOT / "pyproject.toml"))
    report = data_file.with_suffix(".json")
    try:
        coverage.load()
        coverage.json_report(outfile=str(report))
    except CoverageException as error:
        sys.exit(f"{data_file} can't be read: {error}. Delete it and measure again.")
    return read_report(json.loads(report.read_text(encoding="utf-8"))["files"])


def read_report(files: Mapping[str, Mapping[str, object]]) -> dict[str, Room]:
    """Sum the files of coverage's JSON report by room."""
    rooms: dict[str, Room] = defaultdict(Room)
    for path, values in files.items():
        summary, missing_lines = values["summary"], values["missing_lines"]
        assert isinstance(summary, dict)
        assert isinstance(missing_lines, list)
        missing_branches = values.get("missing_branches", [])
        assert isinstance(missing_branches, list)
        room = rooms[room_of(path)]
        room.lines += summary["num_statements"]
        room.lines_run += summary["covered_lines"]
        room.branches += summary.get("num_branches", 0)
        room.branches_run += summary.get("covered_branches", 0)
        branches = [f"{start}->{max(end, 0) or 'exit'}" for start, end in missing_branches]
        if missing_lines or branches:
            room.missing[path] = ", ".join([*map(str, missing_lines), *branches])
    return dict(rooms)


def find_losses(
    rooms: Mapping[str, Room], limits: Mapping[str, Mapping[str, float]]
) -> Iterable[str]:
    """Yield a sentence on each number that fell, and the uncovered lines of its room."""
    for name, room_limits in limits.items():
        room = rooms.get(name)
        if room is None:
            yield f"{name} is recorded, but nothing of it was measured: record the coverage again."
            continue
        losses = list(room.find_falls(room_limits))
        if losses:
            lines = "".join(f"\n    {path}: {rows}" for path, rows in sorted(room.missing.items()))
            yield f"{name}: {' and '.join(losses)}. Lines and branches that no test runs:{lines}"


def below_promise(rooms: Mapping[str, Room]) -> Iterable[str]:
    """Yield a line for each room that carries promises and stands below the percentage."""
    for name in PROMISE_ROOMS:
        percentages = rooms.get(name, Room()).percentages()
        if min(percentages.values()) < PROMISED:
            yield f"{name}: {percentages['lines']} % of lines, {percentages['branches']} % of branches"


def raise_record(
    rooms: Mapping[str, Room], limits: Mapping[str, Mapping[str, float]]
) -> dict[str, dict[str, float]]:
    """Return the higher of the measured and the recorded numbers; rooms that are gone are left out."""
    return {
        name: {
            kind: max(value, limits.get(name, {}).get(kind, 0.0))
            for kind, value in room.percentages().items()
        }
        for name, room in sorted(rooms.items())
    }


def main(*arguments: str) -> int:
    """Print the rooms, check or record them; return the exit status."""
    rooms = measure(ROOT / ".coverage")
    limits = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    for name, room in sorted(rooms.items()):
        numbers = room.percentages()
        print(f"{name:32} {numbers['lines']:6} % lines {numbers['branches']:6} % branches")  # noqa: T201 - a command prints
    for line in below_promise(rooms):
        print(f"below {PROMISED} %: {line}")  # noqa: T201 - a command prints
    if "--record" in arguments:
        text = json.dumps(raise_record(rooms, limits), indent=2)
        RECORD.write_text(text + "\n", encoding="utf-8")
        return 0
    losses = list(find_losses(rooms, limits))
    for loss in losses:
        print(loss, file=sys.stderr)  # noqa: T201 - a command prints
    return 1 if losses else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
