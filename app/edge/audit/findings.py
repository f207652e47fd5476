"""Finding: one thing that the audit has to say, and the kinds of findings there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_EVIDENCE = 300
"""Characters of evidence: a header of a foreign site can be long."""


class FindingLevel(StrEnum):
    """How much a finding matters; errors and warnings make the command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def is_failure(self) -> bool:
        """Whether the site is not right while this is found."""
        return self is not FindingLevel.NOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """What is wrong, what to do about it, and what it was seen by."""

    id: str
    level: FindingLevel
    title: str
    advice: str
    evidence: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """The finding for programs."""
        return {
            "id": self.id,
            "level": self.level.value,
            "title": self.title,
            "advice": self.advice,
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingType:
    """A finding that a check may have; `id` stays the same for ever, programs know it."""

    id: str
    level: FindingLevel
    title: str
    advice: str

    def with_evidence(self, *evidence: str) -> AuditFinding:
        """The finding itself, with what it was seen by."""
        return AuditFinding(
            id=self.id,
            level=self.level,
            title=self.title,
            advice=self.advice,
            evidence=tuple(_printable(text) for text in evidence),
        )


def merge_findings(findings: Iterable[AuditFinding]) -> tuple[AuditFinding, ...]:
    """One finding a kind, with all its evidence; the worst first."""
    by_id: dict[str, AuditFinding] = {}
    for finding in findings:
        earlier = by_id.get(finding.id)
        evidence = (*earlier.evidence, *finding.evidence) if earlier else finding.evidence
        by_id[finding.id] = replace(finding, evidence=tuple(dict.fromkeys(evidence)))
    order = list(FindingLevel)
    return tuple(sorted(by_id.values(), key=lambda f: (order.index(f.level), f.id)))


def _printable(text: str) -> str:
    """Text of a foreign server that can do a terminal no harm."""
    printable = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text
    )
    return printable if len(printable) <= _MAX_EVIDENCE else f"{printable[: _MAX_EVIDENCE - 1]}…"
