"""Audit: visits a few pages, lets each check ask for what it wants, and reports what was found."""

from __future__ import annotations

import secrets
import ssl
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from . import discovery
from .check import CheckContext, Probe, Visit
from .checks import CHECKS, purge_latency
from .checks.reachability import NOT_OURS, SILENT, UNFINISHED
from .discovery import AuditedPage
from .exchange import Exchange, ProbeRequest
from .findings import AuditFinding, merge_findings
from .prober import AuditLimits, LimitsReached, NoResponse, Prober, audit_error
from .purge_timing import PurgeTiming, time_purge
from .report import AuditReport
from .site_address import AuditError, SiteAddress

if TYPE_CHECKING:
    from .site_profile import SiteProfile

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_VISITS = 3
"""A page may be new to each of a CDN's servers: the third time must be a HIT."""

_MOST_SILENCES = 3
"""A site that says nothing to so many requests is not asked for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """How to audit: `ours` when the site may be our own, `origin` to try to get past the CDN.

    `purge` purges a path of the site and returns once that is committed. `tls` is for
    certificates that no public authority has signed.
    """

    profile: SiteProfile | None = None
    origin_url: str | None = None
    purge: Callable[[str], object] | None = None
    limits: AuditLimits = field(default_factory=AuditLimits)
    tls: ssl.SSLContext | None = None


def check_site(base_url: str, wishes: AuditOptions | None = None) -> AuditReport:
    """Audit the site at this address; raises Unable when it can't be done at all."""
    with ExitStack() as stack:
        audit = open_audit(base_url, wishes or AuditOptions(), stack)
        return audit.run()


def open_audit(base_url: str, wishes: AuditOptions, stack: ExitStack) -> Audit:
    """An audit whose connections end with the stack; raises Unable for an address that is none."""
    address = SiteAddress.parse(
        base_url, aliases=wishes.profile.own_origins if wishes.profile else ()
    )
    origin = SiteAddress.parse(wishes.origin_url) if wishes.origin_url else None
    prober = stack.enter_context(Prober(address, wishes.limits, tls=wishes.tls))
    past = stack.enter_context(Prober(origin, wishes.limits, tls=wishes.tls)) if origin else None
    return Audit(address=address, wishes=wishes, prober=prober, origin_prober=past)


@dataclass(slots=True, kw_only=True)
class Audit:
    """One audit on its way: what was exchanged and found so far."""

    address: SiteAddress
    wishes: AuditOptions
    prober: Prober
    origin_prober: Prober | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[AuditFinding] = field(default_factory=list)
    unanswered_count: int = 0

    def run(self) -> AuditReport:
        """Do all of it; raises Unable when the site says nothing or leads elsewhere."""
        seen = CheckContext(address=self.address, token="")
        try:
            seen = self.survey()
            self.run_probes(seen)
        except LimitsReached:
            self.findings.append(UNFINISHED.found(f"after {self.prober.request_count} requests"))
        asked, elapsed = self.prober.request_count, self.prober.elapsed
        measured = self.time_purge(seen)
        self.run_inspections(seen)
        return AuditReport(
            url=self.address.url,
            findings=merge_findings(self.findings),
            visits=seen.visits,
            measured=measured,
            requests=asked,
            seconds=elapsed,
        )

    def send(self, ask: ProbeRequest) -> Exchange:
        """Ask, and record the exchange."""
        prober = (
            self.origin_prober if ask.to_origin and self.origin_prober is not None else self.prober
        )
        exchange = prober.send(ask)
        if not ask.to_origin:
            self.exchanges.append(exchange)
        return exchange

    def survey(self) -> CheckContext:
        """Look around: the home page, and a page of each kind."""
        home = self.fetch_home()
        ours = self.detect_profile()
        found = discovery.parse_home(self.home_html(home), self.address)
        visits = [self.visit_page(AuditedPage(kind="home", target=home.target), home)]
        sitemap = self.visit_page(AuditedPage(kind="sitemap", target="/sitemap.xml"))
        listed = discovery.parse_sitemap(_text(sitemap), self.address)
        feed = self.visit_page(AuditedPage(kind="feed", target=found.feed)) if found.feed else None
        entry = discovery.parse_feed(_text(feed), self.address)
        visits += [visit for visit in (sitemap, feed) if visit is not None]
        visits += [self.visit_page(page) for page in discovery.choose_pages(found, listed, entry)]
        return CheckContext(
            address=self.address,
            token=secrets.token_hex(4),
            visits=tuple(visit for visit in visits if visit is not None),
            search=found.search or (ours.search if ours else None),
            private=found.private,
            ours=ours,
            origin=self.origin_prober.address if self.origin_prober else None,
        )

    def fetch_home(self) -> Exchange:
        """The home page, wherever on this site it is."""
        target = "/"
        for _ in range(_MOST_REDIRECTS):
            try:
                exchange = self.send(ProbeRequest(target=target))
            except NoResponse as silent:
                raise audit_error(self.address, silent) from None
            if exchange.status not in _REDIRECTS:
                return exchange
            target = self.redirect_target(exchange)
        raise AuditError(f"{self.address.url} redirects again and again: open it in a browser.")

    def redirect_target(self, exchange: Exchange) -> str:
        """Where a redirect on this very site leads; raises Unable for any other site."""
        location = urljoin(self.address.url + "/", exchange.fields.first("location") or "")
        target = self.address.request_target(location)
        if target is not None:
            return target
        raise AuditError(
            f"{self.address.url} redirects to {_site(location)}: if that is the site, check that "
            "address; if not, a captive portal or a log-in stands in between."
        )

    def detect_profile(self) -> SiteProfile | None:
        """Our app's promises, if it is our app that answers."""
        ours = self.wishes.profile
        if ours is None:
            return None
        probe = self.try_send(ProbeRequest(target=ours.no_store_path))
        if probe is not None and probe.status == HTTPStatus.OK:
            return ours
        self.findings.append(NOT_OURS.found(probe.to_text() if probe else ours.no_store_path))
        return None

    def home_html(self, home: Exchange) -> str:
        """The text of the home page, asked for unpacked where what came can't be read."""
        if home.content() is not None:
            return home.text()
        plain = self.try_send(ProbeRequest(target=home.target, headers=()))
        return plain.text() if plain else ""

    def visit_page(self, page: AuditedPage, first: Exchange | None = None) -> Visit | None:
        """Ask for a page until it is a HIT, but not often; None when nobody answers."""
        got = [first] if first else []
        while len(got) < _VISITS and not (len(got) > 1 and got[-1].is_hit):
            exchange = self.try_send(ProbeRequest(target=page.target))
            if exchange is None:
                break
            got.append(exchange)
        return Visit(page=page, exchanges=tuple(got)) if got else None

    def try_send(self, ask: ProbeRequest, *, silence_is_fine: bool = False) -> Exchange | None:
        """Ask; a silence is a finding, and after a few of them the audit ends."""
        try:
            return self.send(ask)
        except NoResponse as silent:
            if silence_is_fine:
                return None
            self.findings.append(SILENT.found(f"{ask.to_text()}: {silent}"))
            self.unanswered_count += 1
            if self.unanswered_count >= _MOST_SILENCES:
                raise LimitsReached from None
            return None

    def run_probes(self, seen: CheckContext) -> None:
        """Let each check ask for what it wants."""
        for trial in (trial for check in CHECKS for trial in check.probes(seen)):
            self.findings += self.run_probe(trial)

    def run_probe(self, trial: Probe) -> Iterable[AuditFinding]:
        """What a trial tells; nothing when one of its requests got no answer."""
        got = []
        for ask in trial.requests:
            exchange = self.try_send(ask, silence_is_fine=trial.allow_no_response)
            if exchange is None:
                return ()
            got.append(exchange)
        return trial.evaluate(got)

    def run_inspections(self, seen: CheckContext) -> None:
        """Let each check judge all that was exchanged."""
        for each in CHECKS:
            self.findings += each.inspect(seen, self.exchanges)

    def time_purge(self, seen: CheckContext) -> PurgeTiming | None:
        """Purge a page of ours and see how long it takes, if that is wished for."""
        if seen.ours is None or self.wishes.purge is None:
            return None
        self.prober.reset_limits()
        try:
            found = time_purge(self.send, seen.ours.short_ttl_path, self.wishes.purge)
        except (NoResponse, LimitsReached):
            found = PurgeTiming(target=seen.ours.short_ttl_path)
        self.findings += purge_latency.judge(found)
        return found


def _text(visit: Visit | None) -> str:
    return visit.last.text() if visit is not None else ""


def _site(location: str) -> str:
    """The site that a URL leads to: no path, no query, no password."""
    try:
        parts = urlsplit(location)
        host, port = parts.hostname or "nowhere", parts.port
    except ValueError:
        return "an address that is no URL"
    shown = "".join(char for char in host if char.isprintable())[:100]
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")
