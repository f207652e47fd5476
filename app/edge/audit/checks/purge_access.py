"""Check whether any client can purge the edge, with a URL that has no page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, CheckContext, Probe
from ..exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

OPEN = FindingType(
    id="purge-open",
    level=FindingLevel.ERROR,
    title="Any client can purge the edge: it requires no secret.",
    advice=(
        "A client that purges in a loop sends all readers to the origin: "
        "require the secret (FLASK_EDGE_VARNISH_SECRET) and allow only your own "
        "addresses."
    ),
)

_TAG = ("xkey-softpurge", "p-000000000000000000000000")
_REDIRECTS = 300


def _probes(context: CheckContext) -> Iterator[Probe]:
    target = context.missing_path("purge")
    for method, headers in (("PURGE", ()), ("PURGE", (_TAG,)), ("BAN", ())):
        requests = (
            ProbeRequest(target=target),
            ProbeRequest(target=target, method=method, headers=(*BROWSER_HEADERS, *headers)),
        )
        yield Probe(requests=requests, evaluate=_evaluate)


def _evaluate(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    """Report a purge that was accepted; a server that treats PURGE like GET purges nothing."""
    page, purge = exchanges
    treated_as_get = (page.status, page.content()) == (purge.status, purge.content())
    if purge.status < _REDIRECTS and not treated_as_get:
        yield OPEN.with_evidence(purge.to_text())


CHECK = Check(
    name="purging",
    question="Can any client purge the edge?",
    finding_types=(OPEN,),
    probes=_probes,
)
