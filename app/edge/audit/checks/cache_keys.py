"""Keys: what makes another copy of a page, and what must not."""

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


def _trials(seen: CheckContext) -> Iterator[Probe]:
    if seen.search is not None:
        words = (f"edge-check-{seen.token}-one", f"edge-check-{seen.token}-two")
        asks = tuple(ProbeRequest(target=search_target(seen.search, word)) for word in words)
        yield Probe(requests=asks, evaluate=_told_apart)
    for visit in seen.visits_of("article", "home")[:1]:
        if visit.last.is_hit:
            yield from _splitting(visit, seen.token)


def _splitting(visit: Visit, token: str) -> Iterator[Probe]:
    target = visit.page.target
    if "?" not in target:
        unknown = ProbeRequest(target=f"{target}?edge-check-{token}=1")
        yield Probe(requests=(unknown,), evaluate=lambda got: _same_copy(got, SPLITS))
        tracked = ProbeRequest(target=f"{target}?utm_source=edge-check-{token}&fbclid={token}")
        yield Probe(requests=(tracked,), evaluate=lambda got: _same_copy(got, TRACKERS))
    odd = (("Accept-Encoding", f"{BROWSER_HEADERS[0][1]}, x-edge-check-{token}"),)
    yield Probe(
        requests=(ProbeRequest(target=target, headers=odd),),
        evaluate=lambda got: _same_copy(got, ENCODING),
    )


def _same_copy(got: Sequence[Exchange], kind: FindingType) -> Iterator[AuditFinding]:
    """A redirect is no copy of the page; a page that was fetched anew is one."""
    if got[0].status == HTTPStatus.OK and not got[0].is_hit:
        yield kind.found(got[0].to_text())


def _told_apart(got: Sequence[Exchange]) -> Iterator[AuditFinding]:
    one, other = got
    if {one.status, other.status} != {HTTPStatus.OK} or not other.has_hit:
        return
    if one.content() == other.content():
        yield IGNORED.found(f"{one.to_text()}; {other.to_text()}: the same bytes")


CHECK = Check(
    name="keys",
    question="Does the cache key contain everything that matters, and nothing else?",
    finding_types=(IGNORED, SPLITS, TRACKERS, ENCODING),
    probes=_trials,
)
