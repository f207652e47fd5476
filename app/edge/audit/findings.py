"""Finding: one thing that the audit has to say, and the kinds of findings there are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SHOWN = 300
"""Characters of evidence: a header of a foreign site can be long."""


class Level(StrEnum):
    """How much a finding matters; errors and warnings make the command fail."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def fails(self) -> bool:
        """Whether the site is not right while this is found."""
        return self is not Level.NOTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong, what to do about it, and what it was seen by."""

    id: str
    level: Level
    title: str
    advice: str
    evidence: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        """The finding for programs."""
        return {
            "id": self.id,
            "level": self.level.value,
            "title": self.title,
            "advice": self.advice,
            "evidence": list(self.evidence),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A finding that a check may have; `id` stays the same for ever, programs know it."""

    id: str
    level: Level
    title: str
    advice: str

    def found(self, *evidence: str) -> Finding:
        """The finding itself, with what it was seen by."""
        return Finding(
            id=self.id,
            level=self.level,
            title=self.title,
            advice=self.advice,
            evidence=tuple(_plain(text) for text in evidence),
        )


def merged(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """One finding a kind, with all its evidence; the worst first."""
    by_id: dict[str, Finding] = {}
    for finding in findings:
        known = by_id.get(finding.id)
        evidence = (*known.evidence, *finding.evidence) if known else finding.evidence
        by_id[finding.id] = replace(finding, evidence=tuple(dict.fromkeys(evidence)))
    order = list(Level)
    return tuple(sorted(by_id.values(), key=lambda found: (order.index(found.level), found.id)))


def _plain(text: str) -> str:
    """Text of a foreign server that can do a terminal no harm."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return shown if len(shown) <= _SHOWN else f"{shown[: _SHOWN - 1]}…"
