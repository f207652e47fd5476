"""One question about a site: the requests that answer it, and functions that evaluate responses.

A check does no I/O: it lists its probes, and it evaluates exchanges that the audit recorded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from .discovery import AuditedPage, search_target
from .exchange import Exchange, ProbeRequest
from .findings import AuditFinding, FindingType
from .site_address import SiteAddress
from .site_profile import SiteProfile


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A page and its exchanges in order; the last one should be a HIT."""

    page: AuditedPage
    exchanges: tuple[Exchange, ...]

    @property
    def last(self) -> Exchange:
        """The last exchange: what a reader gets once a cache could have stored the page."""
        return self.exchanges[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What the survey found out about a site, before the checks send their probes.

    `token` is part of every made-up URL, so that no reader requests the same URL.
    """

    address: SiteAddress
    token: str
    visits: tuple[Visit, ...] = ()
    search: tuple[str, str] | None = None
    private: str | None = None
    profile: SiteProfile | None = None
    origin: SiteAddress | None = None

    def visits_of(self, *kinds: str) -> tuple[Visit, ...]:
        """Return the successful visits of these kinds, in the order of the kinds."""
        visits = (visit for kind in kinds for visit in self.visits if visit.page.kind == kind)
        return tuple(visit for visit in visits if visit.last.status == 200)  # noqa: PLR2004 - OK

    def unlinked_url(self, name: str) -> str:
        """Return a made-up URL that the site answers: a search, or the home page with a query."""
        word = f"edge-check-{self.token}-{name}"
        return search_target(self.search, word) if self.search else f"/?{word}=1"

    def missing_path(self, name: str) -> str:
        """Return a made-up path without a page."""
        return f"/edge-check-{self.token}-{name}"


Evaluate: TypeAlias = Callable[[Sequence[Exchange]], Iterable[AuditFinding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Requests in order and a function that evaluates their responses.

    The function runs only if every request got a response. A missing response is a finding,
    unless `allow_no_response` is set: closing the connection is a valid refusal.
    """

    requests: tuple[ProbeRequest, ...]
    evaluate: Evaluate
    allow_no_response: bool = False


def no_probes(_: CheckContext) -> Iterator[Probe]:
    """Probes of a check that only inspects recorded exchanges."""
    yield from ()


def no_findings(_: CheckContext, __: Sequence[Exchange]) -> Iterator[AuditFinding]:
    """Findings of a check that only sends probes."""
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question: `finding_types` are all findings that it may report.

    `probes` lists the requests of this check; `inspect` evaluates the exchanges of all checks.
    """

    name: str
    question: str
    finding_types: tuple[FindingType, ...]
    probes: Callable[[CheckContext], Iterable[Probe]] = no_probes
    inspect: Callable[[CheckContext, Sequence[Exchange]], Iterable[AuditFinding]] = no_findings
