"""Watch a site: request its pages in rounds, print the hit ratio and the findings."""

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
from .checks.reachability import NO_ANSWER, UNFINISHED
from .exchange import Exchange, ProbeRequest
from .findings import AuditFinding, merge_findings
from .prober import LimitsReached, NoResponse
from .report import AuditReport, format_finding
from .site_address import AuditError

MIN_INTERVAL = 1.0
"""Minimum seconds between two rounds, so that a watch causes no load."""

_MAX_REMEMBERED = 3


@dataclass(slots=True, kw_only=True)
class WatchSession:
    """State of a watch: numbers of requests and hits, findings, recent exchanges per page."""

    audit: Audit
    context: CheckContext
    write_line: Callable[[str], object]
    request_count: int = 0
    hits: int = 0
    findings_by_id: dict[str, AuditFinding] = field(default_factory=dict)
    recent_exchanges: dict[str, deque[Exchange]] = field(default_factory=dict)

    def run_round(self, clock: str) -> None:
        """Request each page once and print the result."""
        self.audit.prober.reset_limits()
        exchanges, findings = self._send_requests()
        hit_count = sum(exchange.is_hit for exchange in exchanges)
        self.request_count += len(exchanges)
        self.hits += hit_count
        findings += [
            finding
            for check in CHECKS
            for finding in check.inspect(self._current_context(), exchanges)
        ]
        current = merge_findings(findings)
        share = 100 * self.hits / self.request_count if self.request_count else 0.0
        failing = (
            ", ".join(finding.id for finding in current if finding.level.is_failure)
            or "nothing found"
        )
        self.write_line(
            f"{clock}  hits {hit_count} of {len(exchanges)}, {share:.0f} % so far  {failing}"
        )
        for finding in current:
            if finding.id not in self.findings_by_id:
                for line in format_finding(finding):
                    self.write_line(f"          {line}")
            self.findings_by_id[finding.id] = finding

    def _send_requests(self) -> tuple[list[Exchange], list[AuditFinding]]:
        exchanges, findings = [], []
        for visit in self.context.visits:
            try:
                exchange = self.audit.prober.send(ProbeRequest(target=visit.page.target))
            except NoResponse as error:
                findings.append(NO_ANSWER.with_evidence(f"{visit.page.target}: {error}"))
                continue
            except LimitsReached:
                findings.append(UNFINISHED.with_evidence("one round of requests"))
                break
            exchanges.append(exchange)
            recent = self.recent_exchanges.setdefault(
                visit.page.target, deque(maxlen=_MAX_REMEMBERED)
            )
            recent.append(exchange)
        return exchanges, findings

    def _current_context(self) -> CheckContext:
        visits = (
            Visit(page=visit.page, exchanges=tuple(latest))
            for visit in self.context.visits
            if (latest := self.recent_exchanges.get(visit.page.target))
        )
        return CheckContext(
            address=self.context.address,
            token=self.context.token,
            visits=tuple(visits),
            profile=self.context.profile,
        )


def watch_site(
    base_url: str,
    options: AuditOptions | None = None,
    *,
    write_line: Callable[[str], object],
    interval: float = 5.0,
    duration: float | None = None,
    stop: Event | None = None,
) -> AuditReport:
    """Watch the site until `stop` is set or for `duration` seconds.

    `write_line` gets each line of output at once; `interval` is in seconds.
    """
    stop = stop or Event()
    with ExitStack() as stack:
        audit = open_audit(base_url, options or AuditOptions(), stack)
        session = WatchSession(audit=audit, context=_survey(audit), write_line=write_line)
        began = time.monotonic()
        write_line(
            f"Watching {len(session.context.visits)} pages of {audit.address.url}; Ctrl-C ends it."
        )
        while not stop.is_set() and (duration is None or time.monotonic() - began < duration):
            session.run_round(time.strftime("%H:%M:%S"))
            stop.wait(
                max(interval, MIN_INTERVAL)
                if duration is None
                else _next_wait(began + duration, interval)
            )
        return AuditReport(
            url=audit.address.url,
            findings=merge_findings(session.findings_by_id.values()),
            visits=session._current_context().visits,  # noqa: SLF001 - defined in this module
            requests=session.request_count,
            seconds=time.monotonic() - began,
        )


def _survey(audit: Audit) -> CheckContext:
    try:
        return audit.survey()
    except LimitsReached:
        raise AuditError(
            f"{audit.address.url} stopped responding during the first round."
        ) from None


def _next_wait(end: float, interval: float) -> float:
    return max(0.0, min(max(interval, MIN_INTERVAL), end - time.monotonic()))
