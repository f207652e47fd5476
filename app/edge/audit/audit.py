"""Audit a site: visit a few pages, send the probes of each check and report the findings."""

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
from .checks.reachability import NO_ANSWER, NOT_OURS, UNFINISHED
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
_MAX_REDIRECTS = 3
_MAX_VISITS = 3
"""Requests per page. Each server of a CDN may see a page for the first time; the third request
must be a HIT."""

_MAX_NO_RESPONSES = 3
"""After this many requests without a response, the audit stops."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditOptions:
    """Options of one audit.

    `profile` describes this app, if the site may be one of its deployments. `origin_url` is the
    origin's own URL; the audit then tests whether the origin answers without the CDN. `purge`
    purges a path of the site and returns after the commit. `tls` is the TLS context for
    certificates that are not signed by a public authority.
    """

    profile: SiteProfile | None = None
    origin_url: str | None = None
    purge: Callable[[str], object] | None = None
    limits: AuditLimits = field(default_factory=AuditLimits)
    tls: ssl.SSLContext | None = None


def check_site(base_url: str, options: AuditOptions | None = None) -> AuditReport:
    """Audit the site at this base URL; raises AuditError if the audit can't run."""
    with ExitStack() as stack:
        audit = open_audit(base_url, options or AuditOptions(), stack)
        return audit.run()


def open_audit(base_url: str, options: AuditOptions, stack: ExitStack) -> Audit:
    """Return an audit whose connections the stack closes; raises AuditError for an invalid URL."""
    address = SiteAddress.parse(
        base_url, aliases=options.profile.own_origins if options.profile else ()
    )
    origin = SiteAddress.parse(options.origin_url) if options.origin_url else None
    prober = stack.enter_context(Prober(address, options.limits, tls=options.tls))
    origin_prober = (
        stack.enter_context(Prober(origin, options.limits, tls=options.tls)) if origin else None
    )
    return Audit(address=address, options=options, prober=prober, origin_prober=origin_prober)


@dataclass(slots=True, kw_only=True)
class Audit:
    """One running audit, with the exchanges and findings so far."""

    address: SiteAddress
    options: AuditOptions
    prober: Prober
    origin_prober: Prober | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[AuditFinding] = field(default_factory=list)
    unanswered_count: int = 0

    def run(self) -> AuditReport:
        """Run the audit; raises AuditError if the site does not respond or redirects elsewhere."""
        context = CheckContext(address=self.address, token="")
        try:
            context = self.survey()
            self.run_probes(context)
        except LimitsReached:
            self.findings.append(
                UNFINISHED.with_evidence(f"after {self.prober.request_count} requests")
            )
        request_count, elapsed = self.prober.request_count, self.prober.elapsed
        purge_timing = self.time_purge(context)
        self.run_inspections(context)
        return AuditReport(
            url=self.address.url,
            findings=merge_findings(self.findings),
            visits=context.visits,
            purge_timing=purge_timing,
            requests=request_count,
            seconds=elapsed,
        )

    def send(self, request: ProbeRequest) -> Exchange:
        """Send a request and record the exchange."""
        prober = (
            self.origin_prober
            if request.to_origin and self.origin_prober is not None
            else self.prober
        )
        exchange = prober.send(request)
        if not request.to_origin:
            self.exchanges.append(exchange)
        return exchange

    def survey(self) -> CheckContext:
        """Visit the home page and one page of each kind."""
        home = self.fetch_home()
        profile = self.detect_profile()
        links = discovery.parse_home(self.home_html(home), self.address)
        visits = [self.visit_page(AuditedPage(kind="home", target=home.target), home)]
        sitemap = self.visit_page(AuditedPage(kind="sitemap", target="/sitemap.xml"))
        sitemap_links = discovery.parse_sitemap(_text(sitemap), self.address)
        feed = self.visit_page(AuditedPage(kind="feed", target=links.feed)) if links.feed else None
        entry = discovery.parse_feed(_text(feed), self.address)
        visits += [visit for visit in (sitemap, feed) if visit is not None]
        visits += [
            self.visit_page(page) for page in discovery.choose_pages(links, sitemap_links, entry)
        ]
        return CheckContext(
            address=self.address,
            token=secrets.token_hex(4),
            visits=tuple(visit for visit in visits if visit is not None),
            search=links.search or (profile.search if profile else None),
            private=links.private,
            profile=profile,
            origin=self.origin_prober.address if self.origin_prober else None,
        )

    def fetch_home(self) -> Exchange:
        """Request the home page and follow redirects within this site."""
        target = "/"
        for _ in range(_MAX_REDIRECTS):
            try:
                exchange = self.send(ProbeRequest(target=target))
            except NoResponse as error:
                raise audit_error(self.address, error) from None
            if exchange.status not in _REDIRECTS:
                return exchange
            target = self.redirect_target(exchange)
        raise AuditError(f"{self.address.url} redirects too many times: open it in a browser.")

    def redirect_target(self, exchange: Exchange) -> str:
        """Return the target of a redirect within this site; raises AuditError for another site."""
        location = urljoin(self.address.url + "/", exchange.fields.first("location") or "")
        target = self.address.request_target(location)
        if target is not None:
            return target
        raise AuditError(
            f"{self.address.url} redirects to {_origin_of(location)}: if that is the site, check "
            "that URL; if not, a captive portal or a log-in page answers instead of the site."
        )

    def detect_profile(self) -> SiteProfile | None:
        """Return the profile of our app if the site is a deployment of it."""
        profile = self.options.profile
        if profile is None:
            return None
        probe = self.try_send(ProbeRequest(target=profile.no_store_path))
        if probe is not None and probe.status == HTTPStatus.OK:
            return profile
        self.findings.append(
            NOT_OURS.with_evidence(probe.to_text() if probe else profile.no_store_path)
        )
        return None

    def home_html(self, home: Exchange) -> str:
        """Return the text of the home page; request it uncompressed if it can't be decoded."""
        if home.content() is not None:
            return home.text()
        plain = self.try_send(ProbeRequest(target=home.target, headers=()))
        return plain.text() if plain else ""

    def visit_page(self, page: AuditedPage, first: Exchange | None = None) -> Visit | None:
        """Request a page until it is a HIT, at most three times; None without a response."""
        exchanges = [first] if first else []
        while len(exchanges) < _MAX_VISITS and not (len(exchanges) > 1 and exchanges[-1].is_hit):
            exchange = self.try_send(ProbeRequest(target=page.target))
            if exchange is None:
                break
            exchanges.append(exchange)
        return Visit(page=page, exchanges=tuple(exchanges)) if exchanges else None

    def try_send(
        self, request: ProbeRequest, *, allow_no_response: bool = False
    ) -> Exchange | None:
        """Send a request; a missing response is a finding, and several of them end the audit."""
        try:
            return self.send(request)
        except NoResponse as error:
            if allow_no_response:
                return None
            self.findings.append(NO_ANSWER.with_evidence(f"{request.to_text()}: {error}"))
            self.unanswered_count += 1
            if self.unanswered_count >= _MAX_NO_RESPONSES:
                raise LimitsReached from None
            return None

    def run_probes(self, context: CheckContext) -> None:
        """Send the probes of all checks."""
        for probe in (probe for check in CHECKS for probe in check.probes(context)):
            self.findings += self.run_probe(probe)

    def run_probe(self, probe: Probe) -> Iterable[AuditFinding]:
        """Send a probe and return its findings; none if one of its requests got no response."""
        exchanges = []
        for request in probe.requests:
            exchange = self.try_send(request, allow_no_response=probe.allow_no_response)
            if exchange is None:
                return ()
            exchanges.append(exchange)
        return probe.evaluate(exchanges)

    def run_inspections(self, context: CheckContext) -> None:
        """Let each check inspect all recorded exchanges."""
        for check in CHECKS:
            self.findings += check.inspect(context, self.exchanges)

    def time_purge(self, context: CheckContext) -> PurgeTiming | None:
        """Measure a purge of the probe page, if the options ask for it."""
        if context.profile is None or self.options.purge is None:
            return None
        self.prober.reset_limits()
        try:
            timing = time_purge(self.send, context.profile.short_ttl_path, self.options.purge)
        except (NoResponse, LimitsReached):
            timing = PurgeTiming(target=context.profile.short_ttl_path)
        self.findings += purge_latency.judge(timing)
        return timing


def _text(visit: Visit | None) -> str:
    return visit.last.text() if visit is not None else ""


def _origin_of(location: str) -> str:
    """Return the origin of a URL for a message, without path, query and password."""
    try:
        parts = urlsplit(location)
        host, port = parts.hostname or "nowhere", parts.port
    except ValueError:
        return "something that is not a URL"
    printable = "".join(char for char in host if char.isprintable())[:100]
    return f"{parts.scheme}://{printable}" + (f":{port}" if port else "")
