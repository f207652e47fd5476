"""Never stored: whether what no shared cache may keep is made anew for each reader."""

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


def _trials(seen: CheckContext) -> Iterator[Probe]:
    if seen.ours is None:
        for path in (seen.private,) if seen.private else ():
            yield Probe(requests=(ProbeRequest(target=path),) * 2, evaluate=_nothing)
        return
    ours = seen.ours
    yield Probe(requests=(ProbeRequest(target=ours.no_store_path),) * 2, evaluate=_never)
    yield Probe(
        requests=(ProbeRequest(target=ours.short_ttl_path),) * 2,
        evaluate=lambda got: _timed(got, ours),
    )
    for path in ours.private_paths:
        yield Probe(requests=(ProbeRequest(target=path),) * 2, evaluate=_nothing)


def _nothing(_: Sequence[Exchange]) -> Iterator[AuditFinding]:
    """What is private is judged with everything else that was seen."""
    yield from ()


def _never(got: Sequence[Exchange]) -> Iterator[AuditFinding]:
    first, second = got
    if "no-store" not in second.cache_control:
        yield STRIPPED.found(f"{second.to_text()}, Cache-Control: {second.cache_control}")
    if _repeated(first, second):
        yield NO_STORE.found(f"{second.to_text()}; both answers show the time of one making")


def _repeated(first: Exchange, second: Exchange) -> bool:
    """Whether two answers of a page that shows when it was made were made once."""
    return (
        second.has_hit or first.has_hit or bool(first.body and first.content() == second.content())
    )


def _timed(got: Sequence[Exchange], ours: SiteProfile) -> Iterator[AuditFinding]:
    first, second = got
    if second.status != 200:  # noqa: PLR2004 - OK
        return
    if second.cache_results and not second.has_hit:
        yield TIMED.found(second.to_text())
    oldest = max(first.age, second.age)
    if oldest > ours.short_ttl_seconds:
        yield TOO_LONG.found(
            f"{second.to_text()}: Age {oldest}, but it may be kept {ours.short_ttl_seconds} s"
        )


def _look(_: CheckContext, exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for exchange in exchanges:
        said = exchange.cache_control
        if not exchange.has_hit:
            continue
        if said.is_unqualified("private"):
            yield PRIVATE.found(f"{exchange.to_text()}, Cache-Control: {said}")
        elif "no-store" in said and "must-understand" not in said:
            yield NO_STORE.found(f"{exchange.to_text()}, Cache-Control: {said}")


CHECK = Check(
    name="never-stored",
    question="Is a page that no shared cache may store rendered for each reader?",
    finding_types=(NO_STORE, STRIPPED, PRIVATE, TIMED, TOO_LONG),
    probes=_trials,
    inspect=_look,
)
