"""Check whether the origin answers without the CDN; runs only if the origin's URL is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, CheckContext, Probe
from ..exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

OPEN = FindingType(
    id="origin-open",
    level=FindingLevel.WARNING,
    title="The origin answers requests that bypass the CDN.",
    advice=(
        "Accept connections only from the CDN: by its address ranges, an "
        "authenticated pull or a secret header."
    ),
)


def _probes(context: CheckContext) -> Iterator[Probe]:
    if context.origin is None:
        return
    for name in (context.address.authority, context.origin.authority):
        request = ProbeRequest(
            target="/", headers=(*BROWSER_HEADERS, ("Host", name)), to_origin=True
        )
        yield Probe(requests=(request,), evaluate=_evaluate, allow_no_response=True)


def _evaluate(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if 200 <= exchanges[0].status < 300:  # noqa: PLR2004 - success
        yield OPEN.with_evidence(exchanges[0].to_text())


CHECK = Check(
    name="origin",
    question="Does the origin answer requests that bypass the CDN?",
    finding_types=(OPEN,),
    probes=_probes,
)
