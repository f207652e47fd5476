"""Check: one question to a site, as requests that it wants and a judgement of what came back.

A check neither asks nor waits: it lists its trials, and judges exchanges that others recorded.
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
    """A page and its exchanges, one after the other: the last should be a HIT."""

    page: AuditedPage
    exchanges: tuple[Exchange, ...]

    @property
    def last(self) -> Exchange:
        """What a reader gets once the page could have been kept."""
        return self.exchanges[-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckContext:
    """What is known of a site before the checks ask for more.

    `token` is in every URL that is made up, so that no reader ever has the same.
    """

    address: SiteAddress
    token: str
    visits: tuple[Visit, ...] = ()
    search: tuple[str, str] | None = None
    private: str | None = None
    profile: SiteProfile | None = None
    origin: SiteAddress | None = None

    def visits_of(self, *kinds: str) -> tuple[Visit, ...]:
        """The visits of these kinds that went well, in the order of the kinds."""
        visits = (visit for kind in kinds for visit in self.visits if visit.page.kind == kind)
        return tuple(visit for visit in visits if visit.last.status == 200)  # noqa: PLR2004 - OK

    def unlinked_url(self, name: str) -> str:
        """A URL of our own making that is as good as a page: a search, or home with a query."""
        word = f"edge-check-{self.token}-{name}"
        return search_target(self.search, word) if self.search else f"/?{word}=1"

    def missing_path(self, name: str) -> str:
        """A path of our own making, where no page is."""
        return f"/edge-check-{self.token}-{name}"


Evaluate: TypeAlias = Callable[[Sequence[Exchange]], Iterable[AuditFinding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """Requests in their order, and what their exchanges tell; judged only when all were answered.

    `silence_is_fine`: to hang up is a good answer too.
    """

    requests: tuple[ProbeRequest, ...]
    evaluate: Evaluate
    allow_no_response: bool = False


def no_probes(_: CheckContext) -> Iterator[Probe]:
    """The trials of a check that only looks on."""
    yield from ()


def no_findings(_: CheckContext, __: Sequence[Exchange]) -> Iterator[AuditFinding]:
    """The judgement of a check that only asks."""
    yield from ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One question: `kinds` are all findings that it may have.

    `trials` lists what to ask; `look` judges everything that was exchanged, whoever asked for it.
    """

    name: str
    question: str
    finding_types: tuple[FindingType, ...]
    probes: Callable[[CheckContext], Iterable[Probe]] = no_probes
    inspect: Callable[[CheckContext, Sequence[Exchange]], Iterable[AuditFinding]] = no_findings
