"""Findings of the audit, and their types."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_MAX_EVIDENCE = 300
"""Maximum characters of one piece of evidence, because a header of a foreign site can be long."""


class FindingLevel(StrEnum):
    """Severity of a finding; errors and warnings make the command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def is_failure(self) -> bool:
        """Return whether a finding of this level makes the command fail."""
        return self is not FindingLevel.NOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFinding:
    """What is wrong, how to fix it, and the evidence."""

    id: str
    level: FindingLevel
    title: str
    advice: str
    evidence: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        """JSON for the command line."""
        return {
            "id": self.id,
            "level": self.level.value,
            "title": self.title,
            "advice": self.advice,
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingType:
    """A finding that a check may report; programs use `id`, so it never changes."""

    id: str
    level: FindingLevel
    title: str
    advice: str

    def with_evidence(self, *evidence: str) -> AuditFinding:
        """Return a finding of this type with this evidence."""
        return AuditFinding(
            id=self.id,
            level=self.level,
            title=self.title,
            advice=self.advice,
            evidence=tuple(_printable(text) for text in evidence),
        )


def merge_findings(findings: Iterable[AuditFinding]) -> tuple[AuditFinding, ...]:
    """Merge findings of the same type with all their evidence; the most severe come first."""
    by_id: dict[str, AuditFinding] = {}
    for finding in findings:
        earlier = by_id.get(finding.id)
        evidence = (*earlier.evidence, *finding.evidence) if earlier else finding.evidence
        by_id[finding.id] = replace(finding, evidence=tuple(dict.fromkeys(evidence)))
    order = list(FindingLevel)
    return tuple(sorted(by_id.values(), key=lambda f: (order.index(f.level), f.id)))


def _printable(text: str) -> str:
    """Return a foreign server's text without control characters, so that a terminal is safe."""
    printable = "".join(
        char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text
    )
    return printable if len(printable) <= _MAX_EVIDENCE else f"{printable[: _MAX_EVIDENCE - 1]}…"
