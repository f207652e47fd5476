"""The report of an audit, as text and as JSON."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .check import Visit
from .findings import AuditFinding, FindingLevel
from .purge_timing import PurgeTiming

WIDTH = 98


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditReport:
    """Findings of an audit, the visited pages, and the number of requests and seconds."""

    url: str
    findings: tuple[AuditFinding, ...]
    visits: tuple[Visit, ...] = ()
    purge_timing: PurgeTiming | None = None
    requests: int = 0
    seconds: float = 0.0

    @property
    def status(self) -> int:
        """The exit status: 1 if there is an error or a warning, otherwise 0."""
        return int(any(finding.level.is_failure for finding in self.findings))

    @property
    def caches(self) -> tuple[str, ...]:
        """The caches that the responses name, the nearest to the reader last."""
        return tuple(
            dict.fromkeys(
                result.cache
                for visit in self.visits
                for exchange in visit.exchanges
                for result in exchange.cache_results
            )
        )

    def to_lines(self) -> Iterator[str]:
        """Text for the command line, line by line."""
        yield f"{self.url}: {self.requests} requests in {self.seconds:.1f} s"
        cache_names = ", ".join(self.caches) or "no response names a cache"
        yield f"Caches, the nearest to the reader last: {cache_names}"
        yield ""
        for visit in self.visits:
            last = visit.last
            cache_results = (
                ", ".join(result.to_text() for result in last.cache_results) or "no cache named"
            )
            yield f"  {visit.page.kind:<8} {last.status}  {cache_results:<34} {visit.page.target}"
        if self.purge_timing is not None:
            yield f"\n{self.purge_timing.to_text()}"
        for finding in self.findings:
            yield ""
            yield from format_finding(finding)
        yield f"\n{self.summary()}"

    def summary(self) -> str:
        """Return a sentence with the number of findings of each level."""
        counts = {level: sum(f.level is level for f in self.findings) for level in FindingLevel}
        parts = [
            f"{count} {level.value}{'s' if count > 1 else ''}"
            for level, count in counts.items()
            if count
        ]
        return f"Found {', '.join(parts)}." if parts else "No findings."

    def to_json(self) -> dict[str, Any]:
        """JSON for the command line."""
        return {
            "url": self.url,
            "status": self.status,
            "caches": list(self.caches),
            "pages": [
                {
                    "kind": visit.page.kind,
                    "target": visit.page.target,
                    "status": visit.last.status,
                    "hit": visit.last.is_hit,
                    "served": [
                        {
                            "cache": result.cache,
                            "outcome": result.outcome.value,
                            "detail": result.detail,
                        }
                        for result in visit.last.cache_results
                    ],
                }
                for visit in self.visits
            ],
            "findings": [finding.to_json() for finding in self.findings],
            "commit_to_fresh": self.purge_timing.seconds if self.purge_timing else None,
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
        }


_MAX_EVIDENCE = 4
"""Maximum pieces of evidence of one finding in the text."""


def format_finding(finding: AuditFinding) -> Iterator[str]:
    """Return the lines of one finding."""
    yield f"{finding.level.value.upper()} {finding.id}: {finding.title}"
    for text in finding.evidence[:_MAX_EVIDENCE]:
        yield from _wrap("seen", text)
    if len(finding.evidence) > _MAX_EVIDENCE:
        yield from _wrap("seen", f"and {len(finding.evidence) - _MAX_EVIDENCE} more times")
    yield from _wrap("do", finding.advice)


def _wrap(name: str, text: str) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=f"  {name + ':':<6}",
        subsequent_indent=" " * 8,
        break_on_hyphens=False,
    )
