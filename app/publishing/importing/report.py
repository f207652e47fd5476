"""The report of an import: what came in, what did not, and what a person should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """What became of one file."""

    IMPORTED = "imported"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to say about a file of the folder; `line` counts from 1."""

    path: str
    line: int | None
    sentence: str

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.sentence}"


@dataclass(slots=True, kw_only=True)
class Report:
    """Counts of outcomes, every skipped file with its reason, and warnings about the others."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    skipped: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    old_addresses: list[str] = field(default_factory=list)
    """The addresses that imported posts had on the old site."""

    def skip(self, path: object, line: int | None, reason: str) -> None:
        """Note a file that was not imported."""
        self.counts[Outcome.SKIPPED] += 1
        self.skipped.append(Remark(path=str(path), line=line, sentence=reason))

    def warn(self, path: object, line: int | None, sentence: str) -> None:
        """Note something about a file that was imported all the same."""
        self.warnings.append(Remark(path=str(path), line=line, sentence=sentence))

    def lines(self) -> Iterator[str]:
        """The report as a person reads it; the counts come last."""
        if self.warnings:
            yield "Imported, but look at:"
            yield from (f"  {remark}" for remark in self.warnings)
        if self.skipped:
            yield "Skipped:"
            yield from (f"  {remark}" for remark in self.skipped)
        yield ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in Outcome) + "."

    def to_json(self) -> dict[str, object]:
        """The report as JSON values."""
        return {
            "counts": {str(outcome): self.counts[outcome] for outcome in Outcome},
            "skipped": [asdict(remark) for remark in self.skipped],
            "warnings": [asdict(remark) for remark in self.warnings],
            "old_addresses": self.old_addresses,
        }
