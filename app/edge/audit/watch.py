"""Watch: samples a site's pages again and again, and tells the hit ratio and what it finds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event

from .audit import Audit, AuditOptions, open_audit
from .check import CheckContext, Visit
from .checks import CHECKS
from .checks.reachability import SILENT, UNFINISHED
from .exchange import Exchange, ProbeRequest
from .findings import AuditFinding, merge_findings
from .prober import LimitsReached, NoResponse
from .report import AuditReport, format_finding
from .site_address import AuditError

MIN_INTERVAL = 1.0
"""Seconds between two rounds: a watch must not be felt."""

_REMEMBERED = 3


@dataclass(slots=True, kw_only=True)
class WatchSession:
    """What was sampled so far."""

    audit: Audit
    context: CheckContext
    write_line: Callable[[str], object]
    request_count: int = 0
    hits: int = 0
    findings_by_id: dict[str, AuditFinding] = field(default_factory=dict)
    recent_exchanges: dict[str, deque[Exchange]] = field(default_factory=dict)

    def run_round(self, clock: str) -> None:
        """Ask for each page once, and tell what became of it."""
        self.audit.prober.reset_limits()
        got, findings = self._sampled()
        kept = sum(exchange.is_hit for exchange in got)
        self.request_count += len(got)
        self.hits += kept
        findings += [finding for check in CHECKS for finding in check.inspect(self._now(), got)]
        now = merge_findings(findings)
        share = 100 * self.hits / self.request_count if self.request_count else 0.0
        failing = (
            ", ".join(finding.id for finding in now if finding.level.is_failure) or "nothing found"
        )
        self.write_line(f"{clock}  hits {kept} of {len(got)}, {share:.0f} % so far  {failing}")
        for finding in now:
            if finding.id not in self.findings_by_id:
                for line in format_finding(finding):
                    self.write_line(f"          {line}")
            self.findings_by_id[finding.id] = finding

    def _sampled(self) -> tuple[list[Exchange], list[AuditFinding]]:
        got, findings = [], []
        for visit in self.context.visits:
            try:
                exchange = self.audit.prober.send(ProbeRequest(target=visit.page.target))
            except NoResponse as silent:
                findings.append(SILENT.found(f"{visit.page.target}: {silent}"))
                continue
            except LimitsReached:
                findings.append(UNFINISHED.found("one round of samples"))
                break
            got.append(exchange)
            kept = self.recent_exchanges.setdefault(visit.page.target, deque(maxlen=_REMEMBERED))
            kept.append(exchange)
        return got, findings

    def _now(self) -> CheckContext:
        visits = (
            Visit(page=visit.page, exchanges=tuple(latest))
            for visit in self.context.visits
            if (latest := self.recent_exchanges.get(visit.page.target))
        )
        return CheckContext(
            address=self.context.address,
            token=self.context.token,
            visits=tuple(visits),
            ours=self.context.ours,
        )


def watch_site(
    base_url: str,
    wishes: AuditOptions | None = None,
    *,
    say: Callable[[str], object],
    every: float = 5.0,
    span: float | None = None,
    stop: Event | None = None,
) -> AuditReport:
    """Sample the site until `stop` or for `span` seconds; `say` gets each line as it comes."""
    stop = stop or Event()
    with ExitStack() as stack:
        audit = open_audit(base_url, wishes or AuditOptions(), stack)
        watching = WatchSession(audit=audit, context=_looked_around(audit), write_line=say)
        began = time.monotonic()
        say(
            f"Watching {len(watching.context.visits)} pages of {audit.address.url}; Ctrl-C ends it."
        )
        while not stop.is_set() and (span is None or time.monotonic() - began < span):
            watching.run_round(time.strftime("%H:%M:%S"))
            stop.wait(max(every, MIN_INTERVAL) if span is None else _until(began + span, every))
        return AuditReport(
            url=audit.address.url,
            findings=merge_findings(watching.findings_by_id.values()),
            visits=watching._now().visits,  # noqa: SLF001 - our own
            requests=watching.request_count,
            seconds=time.monotonic() - began,
        )


def _looked_around(audit: Audit) -> CheckContext:
    try:
        return audit.survey()
    except LimitsReached:
        raise AuditError(f"{audit.address.url} stopped answering before it was known.") from None


def _until(end: float, every: float) -> float:
    return max(0.0, min(max(every, MIN_INTERVAL), end - time.monotonic()))
