"""The report of an import: what came in, what did not, and what a person should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum

MAX_GROUPS = 15
"""The number of reasons that are printed of skipped files, and of warnings."""
MAX_PLACES = 3
"""The number of files that are named for one reason."""


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
        return f"{self.place}: {self.sentence}"

    @property
    def place(self) -> str:
        """The file, and the line if it is known."""
        return self.path if self.line is None else f"{self.path}:{self.line}"


@dataclass(slots=True, kw_only=True)
class Report:
    """Counts of outcomes, every skipped file with its reason, and warnings about the others."""

    counts: Counter[Outcome] = field(default_factory=Counter)
    skipped: list[Remark] = field(default_factory=list)
    warnings: list[Remark] = field(default_factory=list)
    old_addresses: list[str] = field(default_factory=list)
    """The addresses that imported posts had on the old site."""
    is_interrupted: bool = False
    """Whether the import was stopped before its end."""
    other_languages: Counter[str] = field(default_factory=Counter)
    """The numbers of posts in languages that were not asked for."""

    def skip(self, path: object, line: int | None, reason: str) -> None:
        """Note a file that was not imported."""
        self.counts[Outcome.SKIPPED] += 1
        self.skipped.append(Remark(path=str(path), line=line, sentence=reason))

    def warn(self, path: object, line: int | None, sentence: str) -> None:
        """Note something about a file that was imported all the same."""
        self.warnings.append(Remark(path=str(path), line=line, sentence=sentence))

    @property
    def has_only_skipped_files(self) -> bool:
        """Whether files were skipped and none was imported, updated or unchanged."""
        return (
            self.counts[Outcome.SKIPPED] > 0 and self.counts.total() == self.counts[Outcome.SKIPPED]
        )

    def lines(self) -> Iterator[str]:
        """The report as a person reads it; the counts come last."""
        if self.warnings:
            yield "Imported, but look at:"
            yield from _group(self.warnings)
        if self.skipped:
            yield "Skipped:"
            yield from _group(self.skipped)
        if self.is_interrupted:
            yield "The import was stopped before its end; import the folder again to go on."
        if self.other_languages:
            counts = sorted(self.other_languages.items())
            numbers = ", ".join(f"{number} {tag}" for tag, number in counts)
            total = self.other_languages.total()
            yield f"Left out: {total} in other languages than --language ({numbers})."
        yield ", ".join(f"{self.counts[outcome]} {outcome}" for outcome in Outcome) + "."

    def to_json(self) -> dict[str, object]:
        """The report as JSON values."""
        return {
            "counts": {str(outcome): self.counts[outcome] for outcome in Outcome},
            "skipped": [asdict(remark) for remark in self.skipped],
            "warnings": [asdict(remark) for remark in self.warnings],
            "old_addresses": self.old_addresses,
            "interrupted": self.is_interrupted,
            "other_languages": dict(sorted(self.other_languages.items())),
        }


def _group(remarks: list[Remark]) -> Iterator[str]:
    """Yield each remark, and remarks with equal sentences as one line with the first files."""
    groups: dict[str, list[Remark]] = {}
    for remark in remarks:
        groups.setdefault(remark.sentence, []).append(remark)
    for sentence, group in list(groups.items())[:MAX_GROUPS]:
        if len(group) == 1:
            yield f"  {_printable(str(group[0]))}"
            continue
        places = ", ".join(remark.place for remark in group[:MAX_PLACES])
        more = ", …" if len(group) > MAX_PLACES else ""
        yield f"  {len(group)} × {_printable(f'{sentence} ({places}{more})')}"
    if len(groups) > MAX_GROUPS:
        yield f"  … and {len(groups) - MAX_GROUPS} other reasons; --json prints all of them."


def _printable(text: str) -> str:
    """Escape characters that would control the terminal or hide a part of the line."""
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape", "surrogatepass").decode()
        for one in text
    )
