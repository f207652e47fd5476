"""Check that a header of one reader does not change what the next reader gets.

Each probe uses a unique URL that no page links to, so a poisoned cache entry never reaches a
reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from ...http.fields import FieldLine
from ..check import Check, CheckContext, Evaluate, Probe
from ..exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

POISONED = FindingType(
    id="poisoned",
    level=FindingLevel.ERROR,
    title="A made-up header of one reader changes the page that the next reader gets.",
    advice=(
        "Any client can deface or break the site: remove this header at the "
        "edge, do not trust it at the origin, then purge everything."
    ),
)
BELIEVED = FindingType(
    id="header-believed",
    level=FindingLevel.WARNING,
    title="The origin trusts a header that any reader can send.",
    advice=(
        "Remove the header at the edge, and trust forwarded headers only from "
        "your own proxies (FLASK_PROXIES)."
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderAttack:
    """Headers that are sent together; a response that trusts them contains `marker`."""

    name: str
    headers: tuple[FieldLine, ...]
    marker: str = ""


_REFUSAL_STATUSES = frozenset({400, 403, 413, 414, 421, 431})
"""Statuses with which a server may refuse such a request."""


def header_attacks(context: CheckContext) -> tuple[HeaderAttack, ...]:
    """Return the headers to send to a site."""
    mark = f"edge-check-{context.token}"
    host, path = f"{mark}.invalid", f"/{mark}-path"
    host_name = context.address.authority.removesuffix(f":{context.address.port}")
    return (
        HeaderAttack(
            name="forwarded-host",
            marker=host,
            headers=(
                ("X-Forwarded-Host", host),
                ("X-Forwarded-Server", host),
                ("X-Host", host),
                ("Forwarded", f"host={host}"),
            ),
        ),
        HeaderAttack(
            name="underscores",
            marker=host,
            headers=(("X_Forwarded_Host", host), ("X_Forwarded_Prefix", path)),
        ),
        HeaderAttack(
            name="original-url",
            marker=path,
            headers=(("X-Original-URL", path), ("X-Rewrite-URL", path)),
        ),
        HeaderAttack(
            name="prefix",
            marker=path,
            headers=(("SCRIPT_NAME", path), ("Script-Name", path), ("X-Forwarded-Prefix", path)),
        ),
        HeaderAttack(
            name="scheme",
            headers=(("X-Forwarded-Proto", "nothing"), ("X-Forwarded-Scheme", "http")),
        ),
        HeaderAttack(
            name="method",
            headers=(("X-HTTP-Method-Override", "DELETE"), ("X-HTTP-Method", "DELETE")),
        ),
        HeaderAttack(name="port", marker=":59999", headers=(("Host", f"{host_name}:59999"),)),
        HeaderAttack(name="oversized", headers=(("X-Edge-Check", "x" * 12_000),)),
    )


def _probes(context: CheckContext) -> Iterator[Probe]:
    reference = ProbeRequest(target=context.unlinked_url("reference"))
    for attack in header_attacks(context):
        clean = ProbeRequest(target=context.unlinked_url(attack.name))
        attacked = ProbeRequest(target=clean.target, headers=(*BROWSER_HEADERS, *attack.headers))
        yield Probe(
            requests=(attacked, clean, reference),
            evaluate=_evaluate(attack),
            allow_no_response=True,
        )


def _evaluate(attack: HeaderAttack) -> Evaluate:
    def evaluate(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
        attacked, clean, reference = exchanges
        subject = f"{attack.headers[0][0]} ({attack.name}): {clean.request.to_text()}"
        if _differs(clean, reference, attack):
            yield POISONED.with_evidence(f"{subject} got {clean.status} afterwards")
        elif attacked.status not in _REFUSAL_STATUSES and _differs(attacked, reference, attack):
            yield BELIEVED.with_evidence(f"{subject} got {attacked.status} with it")

    return evaluate


def _differs(exchange: Exchange, reference: Exchange, attack: HeaderAttack) -> bool:
    """Return whether a response differs from the response to a normal request."""
    if exchange.status != reference.status:
        return exchange.status != HTTPStatus.NOT_MODIFIED
    if not attack.marker:
        return False
    locations = " ".join(exchange.fields.lines("location"))
    return attack.marker in locations or attack.marker in exchange.text()


CHECK = Check(
    name="poison",
    question="Can a header of one reader change the response for the next reader?",
    finding_types=(POISONED, BELIEVED),
    probes=_probes,
)
