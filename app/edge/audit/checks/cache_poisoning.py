"""Poison: whether a header that a reader made up changes what the next reader gets.

Each trial has a URL of its own that nobody is ever led to, so that it harms nobody.
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
    """Headers that are tried together; `marker` shows up where they are believed."""

    name: str
    headers: tuple[FieldLine, ...]
    marker: str = ""


_REFUSAL_STATUSES = frozenset({400, 403, 413, 414, 421, 431})
"""Statuses by which a server refuses an odd request, as it should."""


def header_attacks(seen: CheckContext) -> tuple[HeaderAttack, ...]:
    """What is tried on a site."""
    mark = f"edge-check-{seen.token}"
    host, path = f"{mark}.invalid", f"/{mark}-path"
    named = seen.address.authority.removesuffix(f":{seen.address.port}")
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
        HeaderAttack(name="port", marker=":59999", headers=(("Host", f"{named}:59999"),)),
        HeaderAttack(name="oversized", headers=(("X-Edge-Check", "x" * 12_000),)),
    )


def _trials(seen: CheckContext) -> Iterator[Probe]:
    reference = ProbeRequest(target=seen.unlinked_url("reference"))
    for game in header_attacks(seen):
        clean = ProbeRequest(target=seen.unlinked_url(game.name))
        played = ProbeRequest(target=clean.target, headers=(*BROWSER_HEADERS, *game.headers))
        yield Probe(
            requests=(played, clean, reference), evaluate=_judge(game), allow_no_response=True
        )


def _judge(game: HeaderAttack) -> Evaluate:
    def judge(got: Sequence[Exchange]) -> Iterator[AuditFinding]:
        played, clean, reference = got
        what = f"{game.headers[0][0]} ({game.name}): {clean.request.to_text()}"
        if _changed(clean, reference, game):
            yield POISONED.found(f"{what} got {clean.status} afterwards")
        elif played.status not in _REFUSAL_STATUSES and _changed(played, reference, game):
            yield BELIEVED.found(f"{what} got {played.status} with it")

    return judge


def _changed(exchange: Exchange, reference: Exchange, game: HeaderAttack) -> bool:
    """Whether an answer is another one than a plain request gets."""
    if exchange.status != reference.status:
        return exchange.status != HTTPStatus.NOT_MODIFIED
    if not game.marker:
        return False
    told = " ".join(exchange.fields.lines("location"))
    return game.marker in told or game.marker in exchange.text()


CHECK = Check(
    name="poison",
    question="Can a header of one reader change the response for the next reader?",
    finding_types=(POISONED, BELIEVED),
    probes=_trials,
)
