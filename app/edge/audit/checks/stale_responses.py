"""Staleness: whether an old page is served while the origin is well."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..cache_headers import CacheOutcome
from ..check import Check, CheckContext
from ..exchange import Exchange
from ..findings import AuditFinding, FindingLevel, FindingType

STALE = FindingType(
    id="stale-again",
    level=FindingLevel.WARNING,
    title="The edge serves an old copy again and again instead of fetching a new one.",
    advice=(
        "The edge's fetches fail, or it serves stale for too long: check the "
        "origin's log and the edge's grace."
    ),
)
OLD = FindingType(
    id="older-than-allowed",
    level=FindingLevel.WARNING,
    title="A page has an Age beyond its own max-age or s-maxage.",
    advice=(
        "The edge has a TTL of its own, or it serves stale: configure it to obey the origin's TTL."
    ),
)
REWRITTEN = FindingType(
    id="rewritten",
    level=FindingLevel.NOTE,
    title="The edge rewrites pages.",
    advice=(
        "Readers get other bytes than the origin sent. Switch the feature off "
        "at the edge (an injected script, e-mail obfuscation, a managed "
        "robots.txt), or accept it: such pages count as fresh."
    ),
)


def _look(seen: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if seen.ours and seen.ours.rewritten:
        yield REWRITTEN.found(seen.ours.rewritten)
    for visit in seen.visits:
        stale = [_stale(exchange) for exchange in visit.exchanges]
        if len(stale) > 1 and all(stale):
            yield STALE.found(visit.last.to_text())
        allowed = _allowed(visit.last)
        if allowed is not None and visit.last.has_hit and visit.last.age > allowed:
            yield OLD.found(f"{visit.last.to_text()}: Age {visit.last.age}, allowed {allowed}")


def _stale(exchange: Exchange) -> bool:
    return exchange.outermost is not None and exchange.outermost.outcome is CacheOutcome.STALE


def _allowed(exchange: Exchange) -> int | None:
    """Seconds; None where the edge's time is said in a field that readers don't see."""
    said = exchange.cache_control
    return (
        said.delta_seconds("s-maxage")
        if "s-maxage" in said
        else said.delta_seconds("max-age") or None
    )


CHECK = Check(
    name="staleness",
    question="Is an old page served while the origin is healthy?",
    finding_types=(STALE, OLD, REWRITTEN),
    inspect=_look,
)
