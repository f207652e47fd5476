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
from .check import Seen, Trial, Visit
from .checks import CHECKS, purge_latency
from .checks.reachability import NOT_OURS, SILENT, UNFINISHED
from .discovery import Page
from .exchange import Ask, Exchange
from .findings import Finding, merged
from .prober import Limits, Prober, Silent, Spent, unable
from .purge_timing import Measured, measure
from .report import Report
from .site_address import Address, Unable

if TYPE_CHECKING:
    from .site_profile import Ours

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_VISITS = 3
"""A page may be new to each of a CDN's servers: the third time must be a HIT."""

_MOST_SILENCES = 3
"""A site that says nothing to so many requests is not asked for more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How to audit: `ours` when the site may be our own, `origin` to try to get past the CDN.

    `purge` purges a path of the site and returns once that is committed. `tls` is for
    certificates that no public authority has signed.
    """

    ours: Ours | None = None
    origin: str | None = None
    purge: Callable[[str], object] | None = None
    limits: Limits = field(default_factory=Limits)
    tls: ssl.SSLContext | None = None


def check(base_url: str, wishes: Wishes | None = None) -> Report:
    """Audit the site at this address; raises Unable when it can't be done at all."""
    with ExitStack() as stack:
        audit = opened(base_url, wishes or Wishes(), stack)
        return audit.run()


def opened(base_url: str, wishes: Wishes, stack: ExitStack) -> Audit:
    """An audit whose connections end with the stack; raises Unable for an address that is none."""
    address = Address.parse(base_url, aliases=wishes.ours.sites if wishes.ours else ())
    origin = Address.parse(wishes.origin) if wishes.origin else None
    prober = stack.enter_context(Prober(address, wishes.limits, tls=wishes.tls))
    past = stack.enter_context(Prober(origin, wishes.limits, tls=wishes.tls)) if origin else None
    return Audit(address=address, wishes=wishes, prober=prober, past=past)


@dataclass(slots=True, kw_only=True)
class Audit:
    """One audit on its way: what was exchanged and found so far."""

    address: Address
    wishes: Wishes
    prober: Prober
    past: Prober | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    silences: int = 0

    def run(self) -> Report:
        """Do all of it; raises Unable when the site says nothing or leads elsewhere."""
        seen = Seen(address=self.address, token="")
        try:
            seen = self.seen()
            self.try_all(seen)
        except Spent:
            self.findings.append(UNFINISHED.found(f"after {self.prober.asked} requests"))
        asked, elapsed = self.prober.asked, self.prober.elapsed
        measured = self.measured(seen)
        self.look(seen)
        return Report(
            url=self.address.url,
            findings=merged(self.findings),
            visits=seen.visits,
            measured=measured,
            requests=asked,
            seconds=elapsed,
        )

    def ask(self, ask: Ask) -> Exchange:
        """Ask, and record the exchange."""
        prober = self.past if ask.past and self.past is not None else self.prober
        exchange = prober.ask(ask)
        if not ask.past:
            self.exchanges.append(exchange)
        return exchange

    def seen(self) -> Seen:
        """Look around: the home page, and a page of each kind."""
        home = self.home()
        ours = self.ours()
        found = discovery.read_home(self.html(home), self.address)
        visits = [self.visit(Page(kind="home", target=home.target), home)]
        sitemap = self.visit(Page(kind="sitemap", target="/sitemap.xml"))
        listed = discovery.read_sitemap(_text(sitemap), self.address)
        feed = self.visit(Page(kind="feed", target=found.feed)) if found.feed else None
        entry = discovery.read_feed(_text(feed), self.address)
        visits += [visit for visit in (sitemap, feed) if visit is not None]
        visits += [self.visit(page) for page in discovery.pages_of(found, listed, entry)]
        return Seen(
            address=self.address,
            token=secrets.token_hex(4),
            visits=tuple(visit for visit in visits if visit is not None),
            search=found.search or (ours.search if ours else None),
            private=found.private,
            ours=ours,
            origin=self.past.address if self.past else None,
        )

    def home(self) -> Exchange:
        """The home page, wherever on this site it is."""
        target = "/"
        for _ in range(_MOST_REDIRECTS):
            try:
                exchange = self.ask(Ask(target=target))
            except Silent as silent:
                raise unable(self.address, silent) from None
            if exchange.status not in _REDIRECTS:
                return exchange
            target = self.followed(exchange)
        raise Unable(f"{self.address.url} redirects again and again: open it in a browser.")

    def followed(self, exchange: Exchange) -> str:
        """Where a redirect on this very site leads; raises Unable for any other site."""
        location = urljoin(self.address.url + "/", exchange.fields.first("location") or "")
        target = self.address.target(location)
        if target is not None:
            return target
        raise Unable(
            f"{self.address.url} redirects to {_site(location)}: if that is the site, check that "
            "address; if not, a captive portal or a log-in stands in between."
        )

    def ours(self) -> Ours | None:
        """Our app's promises, if it is our app that answers."""
        ours = self.wishes.ours
        if ours is None:
            return None
        probe = self.attempt(Ask(target=ours.never_stored))
        if probe is not None and probe.status == HTTPStatus.OK:
            return ours
        self.findings.append(NOT_OURS.found(probe.words() if probe else ours.never_stored))
        return None

    def html(self, home: Exchange) -> str:
        """The text of the home page, asked for unpacked where what came can't be read."""
        if home.content() is not None:
            return home.text()
        plain = self.attempt(Ask(target=home.target, headers=()))
        return plain.text() if plain else ""

    def visit(self, page: Page, first: Exchange | None = None) -> Visit | None:
        """Ask for a page until it is a HIT, but not often; None when nobody answers."""
        got = [first] if first else []
        while len(got) < _VISITS and not (len(got) > 1 and got[-1].hit):
            exchange = self.attempt(Ask(target=page.target))
            if exchange is None:
                break
            got.append(exchange)
        return Visit(page=page, exchanges=tuple(got)) if got else None

    def attempt(self, ask: Ask, *, silence_is_fine: bool = False) -> Exchange | None:
        """Ask; a silence is a finding, and after a few of them the audit ends."""
        try:
            return self.ask(ask)
        except Silent as silent:
            if silence_is_fine:
                return None
            self.findings.append(SILENT.found(f"{ask.words()}: {silent}"))
            self.silences += 1
            if self.silences >= _MOST_SILENCES:
                raise Spent from None
            return None

    def try_all(self, seen: Seen) -> None:
        """Let each check ask for what it wants."""
        for trial in (trial for check in CHECKS for trial in check.trials(seen)):
            self.findings += self.tried(trial)

    def tried(self, trial: Trial) -> Iterable[Finding]:
        """What a trial tells; nothing when one of its requests got no answer."""
        got = []
        for ask in trial.asks:
            exchange = self.attempt(ask, silence_is_fine=trial.silence_is_fine)
            if exchange is None:
                return ()
            got.append(exchange)
        return trial.judge(got)

    def look(self, seen: Seen) -> None:
        """Let each check judge all that was exchanged."""
        for each in CHECKS:
            self.findings += each.look(seen, self.exchanges)

    def measured(self, seen: Seen) -> Measured | None:
        """Purge a page of ours and see how long it takes, if that is wished for."""
        if seen.ours is None or self.wishes.purge is None:
            return None
        self.prober.renew()
        try:
            found = measure(self.ask, seen.ours.kept, self.wishes.purge)
        except (Silent, Spent):
            found = Measured(target=seen.ours.kept)
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
