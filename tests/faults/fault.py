"""A planted fault: one small change of one file, and the tests that must fail with it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDER = Path(__file__).parent


class FaultError(ValueError):
    """A table whose faults can't be planted, with the file and what to mend."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row of a table.

    `old` occurs exactly once in `file`; `new` replaces it. `tests` are arguments of pytest.
    """

    table: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]
    why: str

    def __str__(self) -> str:
        return f"{self.file}: {self.why}"

    def changed_text(self, root: Path = ROOT) -> str:
        """Return the text of the file with the fault in it; raises FaultError if it can't be."""
        text = (root / self.file).read_text(encoding="utf-8")
        count = text.count(self.old)
        if count != 1:
            message = f"{self.table}: {self.old!r} occurs {count} times in {self.file}, not once"
            raise FaultError(message)
        return text.replace(self.old, self.new)


def read_table(path: Path) -> Iterator[Fault]:
    """Read the faults of one table; raises FaultError for a row that is not complete."""
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("fault", [])
    for row in rows:
        try:
            values = {**row, "tests": tuple(row["tests"])}
            yield Fault(table=path.name, **values)
        except (KeyError, TypeError) as error:
            raise FaultError(f"{path.name}: a row is not complete: {error}; {row}") from None


def read_all_tables() -> list[Fault]:
    """Read every table of this folder, sorted by its name."""
    return [fault for path in sorted(FOLDER.glob("*.toml")) for fault in read_table(path)]
