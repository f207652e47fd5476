"""Check the cache key: what must create a separate cache entry, and what must not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from ..check import Check, CheckContext, Probe, Visit
from ..discovery import search_target
from ..exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

IGNORED = FindingType(
    id="query-ignored",
    level=FindingLevel.ERROR,
    title=("The edge ignores the query string of a search: two searches get the same response."),
    advice=(
        "Keep the query string in the cache key of pages that read it (search); "
        "remove trackers by name instead of the whole query string."
    ),
)
SPLITS = FindingType(
    id="query-splits",
    level=FindingLevel.WARNING,
    title="A query parameter that no page reads makes a separate copy.",
    advice=(
        "Any client can fill the cache with made-up parameters: redirect to the "
        "URL without them, or omit them from the cache key."
    ),
)
TRACKERS = FindingType(
    id="tracker-splits",
    level=FindingLevel.WARNING,
    title="A link with a tracker (utm_source, fbclid) misses the cache.",
    advice=(
        "Omit trackers from the cache key: shared links and newsletters cause "
        "the highest load on an origin."
    ),
)
ENCODING = FindingType(
    id="encoding-splits",
    level=FindingLevel.WARNING,
    title="An unusual Accept-Encoding makes a separate copy.",
    advice=(
        "Configure the edge to reduce Accept-Encoding to br, gzip or nothing before the lookup."
    ),
)


def _probes(context: CheckContext) -> Iterator[Probe]:
    if context.search is not None:
        words = (f"edge-check-{context.token}-one", f"edge-check-{context.token}-two")
        requests = tuple(ProbeRequest(target=search_target(context.search, word)) for word in words)
        yield Probe(requests=requests, evaluate=_expect_different_results)
    for visit in context.visits_of("article", "home")[:1]:
        if visit.last.is_hit:
            yield from _split_probes(visit, context.token)


def _split_probes(visit: Visit, token: str) -> Iterator[Probe]:
    target = visit.page.target
    if "?" not in target:
        unknown = ProbeRequest(target=f"{target}?edge-check-{token}=1")
        yield Probe(requests=(unknown,), evaluate=lambda exchanges: _expect_hit(exchanges, SPLITS))
        tracker = ProbeRequest(target=f"{target}?utm_source=edge-check-{token}&fbclid={token}")
        yield Probe(
            requests=(tracker,), evaluate=lambda exchanges: _expect_hit(exchanges, TRACKERS)
        )
    odd = (("Accept-Encoding", f"{BROWSER_HEADERS[0][1]}, x-edge-check-{token}"),)
    yield Probe(
        requests=(ProbeRequest(target=target, headers=odd),),
        evaluate=lambda exchanges: _expect_hit(exchanges, ENCODING),
    )


def _expect_hit(exchanges: Sequence[Exchange], kind: FindingType) -> Iterator[AuditFinding]:
    """Report a page that was fetched again; a redirect does not create a cache entry."""
    if exchanges[0].status == HTTPStatus.OK and not exchanges[0].is_hit:
        yield kind.with_evidence(exchanges[0].to_text())


def _expect_different_results(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    first, second = exchanges
    if {first.status, second.status} != {HTTPStatus.OK} or not second.has_hit:
        return
    if first.content() == second.content():
        yield IGNORED.with_evidence(f"{first.to_text()}; {second.to_text()}: the same bytes")


CHECK = Check(
    name="keys",
    question="Does the cache key contain everything that matters, and nothing else?",
    finding_types=(IGNORED, SPLITS, TRACKERS, ENCODING),
    probes=_probes,
)
