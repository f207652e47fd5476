"""Check whether an old page is served while the origin is healthy."""

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


def _inspect(context: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if context.profile and context.profile.rewritten:
        yield REWRITTEN.with_evidence(context.profile.rewritten)
    for visit in context.visits:
        stale_flags = [_is_stale(exchange) for exchange in visit.exchanges]
        if len(stale_flags) > 1 and all(stale_flags):
            yield STALE.with_evidence(visit.last.to_text())
        max_age = _max_age(visit.last)
        if max_age is not None and visit.last.has_hit and visit.last.age > max_age:
            yield OLD.with_evidence(
                f"{visit.last.to_text()}: Age {visit.last.age}, allowed {max_age}"
            )


def _is_stale(exchange: Exchange) -> bool:
    return exchange.outermost is not None and exchange.outermost.outcome is CacheOutcome.STALE


def _max_age(exchange: Exchange) -> int | None:
    """Return the TTL in seconds; None if the edge's TTL is in a field that readers don't get."""
    directives = exchange.cache_control
    return (
        directives.delta_seconds("s-maxage")
        if "s-maxage" in directives
        else directives.delta_seconds("max-age") or None
    )


CHECK = Check(
    name="staleness",
    question="Is an old page served while the origin is healthy?",
    finding_types=(STALE, OLD, REWRITTEN),
    inspect=_inspect,
)
