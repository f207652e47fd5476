"""Check that a page which no shared cache may store is rendered for each reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, CheckContext, Probe
from ..exchange import Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType
from ..site_profile import SiteProfile

NO_STORE = FindingType(
    id="no-store-stored",
    level=FindingLevel.ERROR,
    title="The edge stores a page that says no-store.",
    advice=(
        "A rule of the edge overrides the origin's Cache-Control: configure it "
        "to obey no-store, otherwise one reader's page is shown to others."
    ),
)
PRIVATE = FindingType(
    id="private-hit",
    level=FindingLevel.ERROR,
    title="A private page was answered from a shared cache.",
    advice=(
        "Purge the edge now, then configure it to obey private; log-ins and the "
        "studio must bypass the cache."
    ),
)
STRIPPED = FindingType(
    id="no-store-lost",
    level=FindingLevel.ERROR,
    title="A page that says no-store arrives without it.",
    advice=(
        "The edge rewrites Cache-Control, so browsers and proxies store "
        "responses that they must not store: configure it to forward the header "
        "unchanged."
    ),
)
TIMED = FindingType(
    id="timed-not-kept",
    level=FindingLevel.WARNING,
    title="A page that an edge may store for two minutes is rendered again.",
    advice=(
        "The edge ignores max-age, or it has a minimum or a rule of its own: "
        "configure it to obey the origin's headers."
    ),
)
TOO_LONG = FindingType(
    id="kept-too-long",
    level=FindingLevel.ERROR,
    title="A page was served from a cache after its TTL had ended.",
    advice=("The edge has a TTL of its own that overrides the origin's: switch this override off."),
)


def _probes(context: CheckContext) -> Iterator[Probe]:
    if context.profile is None:
        for path in (context.private,) if context.private else ():
            yield Probe(requests=(ProbeRequest(target=path),) * 2, evaluate=_no_evaluation)
        return
    profile = context.profile
    yield Probe(
        requests=(ProbeRequest(target=profile.no_store_path),) * 2, evaluate=_evaluate_no_store
    )
    yield Probe(
        requests=(ProbeRequest(target=profile.short_ttl_path),) * 2,
        evaluate=lambda exchanges: _evaluate_short_ttl(exchanges, profile),
    )
    for path in profile.private_paths:
        yield Probe(requests=(ProbeRequest(target=path),) * 2, evaluate=_no_evaluation)


def _no_evaluation(_: Sequence[Exchange]) -> Iterator[AuditFinding]:
    """Return no findings: `_inspect` evaluates private pages with all other exchanges."""
    yield from ()


def _evaluate_no_store(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    first, second = exchanges
    if "no-store" not in second.cache_control:
        yield STRIPPED.with_evidence(f"{second.to_text()}, Cache-Control: {second.cache_control}")
    if _is_same_response(first, second):
        yield NO_STORE.with_evidence(
            f"{second.to_text()}; both responses show the same time of rendering"
        )


def _is_same_response(first: Exchange, second: Exchange) -> bool:
    """Return whether two responses of a page that shows its time of rendering are the same one."""
    return (
        second.has_hit or first.has_hit or bool(first.body and first.content() == second.content())
    )


def _evaluate_short_ttl(
    exchanges: Sequence[Exchange], profile: SiteProfile
) -> Iterator[AuditFinding]:
    first, second = exchanges
    if second.status != 200:  # noqa: PLR2004 - OK
        return
    if second.cache_results and not second.has_hit:
        yield TIMED.with_evidence(second.to_text())
    oldest = max(first.age, second.age)
    if oldest > profile.short_ttl_seconds:
        yield TOO_LONG.with_evidence(
            f"{second.to_text()}: Age {oldest}, "
            f"but it may be stored for {profile.short_ttl_seconds} s"
        )


def _inspect(_: CheckContext, exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for exchange in exchanges:
        directives = exchange.cache_control
        if not exchange.has_hit:
            continue
        if directives.is_unqualified("private"):
            yield PRIVATE.with_evidence(f"{exchange.to_text()}, Cache-Control: {directives}")
        elif "no-store" in directives and "must-understand" not in directives:
            yield NO_STORE.with_evidence(f"{exchange.to_text()}, Cache-Control: {directives}")


CHECK = Check(
    name="never-stored",
    question="Is a page that no shared cache may store rendered for each reader?",
    finding_types=(NO_STORE, STRIPPED, PRIVATE, TIMED, TOO_LONG),
    probes=_probes,
    inspect=_inspect,
)
