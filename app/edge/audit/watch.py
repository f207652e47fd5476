"""Watch: samples a site's pages again and again, and tells the hit ratio and what it finds."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from threading import Event

from .audit import Audit, Wishes, opened
from .check import Seen, Visit
from .checks import CHECKS
from .checks.reachability import SILENT, UNFINISHED
from .exchange import Ask, Exchange
from .findings import Finding, merged
from .prober import Silent, Spent
from .report import Report, finding_lines
from .site_address import Unable

SHORTEST = 1.0
"""Seconds between two rounds: a watch must not be felt."""

_REMEMBERED = 3


@dataclass(slots=True, kw_only=True)
class Watch:
    """What was sampled so far."""

    audit: Audit
    seen: Seen
    say: Callable[[str], object]
    asked: int = 0
    hits: int = 0
    found: dict[str, Finding] = field(default_factory=dict)
    latest: dict[str, deque[Exchange]] = field(default_factory=dict)

    def round(self, clock: str) -> None:
        """Ask for each page once, and tell what became of it."""
        self.audit.prober.renew()
        got, findings = self._sampled()
        kept = sum(exchange.hit for exchange in got)
        self.asked += len(got)
        self.hits += kept
        findings += [finding for check in CHECKS for finding in check.look(self._now(), got)]
        now = merged(findings)
        share = 100 * self.hits / self.asked if self.asked else 0.0
        failing = ", ".join(finding.id for finding in now if finding.level.fails) or "nothing found"
        self.say(f"{clock}  hits {kept} of {len(got)}, {share:.0f} % so far  {failing}")
        for finding in now:
            if finding.id not in self.found:
                for line in finding_lines(finding):
                    self.say(f"          {line}")
            self.found[finding.id] = finding

    def _sampled(self) -> tuple[list[Exchange], list[Finding]]:
        got, findings = [], []
        for visit in self.seen.visits:
            try:
                exchange = self.audit.prober.ask(Ask(target=visit.page.target))
            except Silent as silent:
                findings.append(SILENT.found(f"{visit.page.target}: {silent}"))
                continue
            except Spent:
                findings.append(UNFINISHED.found("one round of samples"))
                break
            got.append(exchange)
            kept = self.latest.setdefault(visit.page.target, deque(maxlen=_REMEMBERED))
            kept.append(exchange)
        return got, findings

    def _now(self) -> Seen:
        visits = (
            Visit(page=visit.page, exchanges=tuple(latest))
            for visit in self.seen.visits
            if (latest := self.latest.get(visit.page.target))
        )
        return Seen(
            address=self.seen.address,
            token=self.seen.token,
            visits=tuple(visits),
            ours=self.seen.ours,
        )


def watch(
    base_url: str,
    wishes: Wishes | None = None,
    *,
    say: Callable[[str], object],
    every: float = 5.0,
    span: float | None = None,
    stop: Event | None = None,
) -> Report:
    """Sample the site until `stop` or for `span` seconds; `say` gets each line as it comes."""
    stop = stop or Event()
    with ExitStack() as stack:
        audit = opened(base_url, wishes or Wishes(), stack)
        watching = Watch(audit=audit, seen=_looked_around(audit), say=say)
        began = time.monotonic()
        say(f"Watching {len(watching.seen.visits)} pages of {audit.address.url}; Ctrl-C ends it.")
        while not stop.is_set() and (span is None or time.monotonic() - began < span):
            watching.round(time.strftime("%H:%M:%S"))
            stop.wait(max(every, SHORTEST) if span is None else _until(began + span, every))
        return Report(
            url=audit.address.url,
            findings=merged(watching.found.values()),
            visits=watching._now().visits,  # noqa: SLF001 - our own
            requests=watching.asked,
            seconds=time.monotonic() - began,
        )


def _looked_around(audit: Audit) -> Seen:
    try:
        return audit.seen()
    except Spent:
        raise Unable(f"{audit.address.url} stopped answering before it was known.") from None


def _until(end: float, every: float) -> float:
    return max(0.0, min(max(every, SHORTEST), end - time.monotonic()))
