"""Check that pages, feeds, static files and media are a HIT the second time; if not, say why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from ..cache_headers import CacheOutcome
from ..check import Check, CheckContext, Visit
from ..exchange import Exchange
from ..findings import AuditFinding, FindingLevel, FindingType

NO_CACHE = FindingType(
    id="no-cache",
    level=FindingLevel.WARNING,
    title="No response shows a cache in front of the site.",
    advice=(
        "If there is no cache, every request is rendered: use a CDN or the "
        "embedded gateway (FLASK_EDGE_GATEWAY=on). If there is a cache, make it "
        "send Cache-Status or X-Cache."
    ),
)
NO_RULE = FindingType(
    id="not-kept-rule",
    level=FindingLevel.ERROR,
    title="The edge is not configured to store this kind of page.",
    advice="On Cloudflare, DYNAMIC means that no Cache Rule makes HTML eligible: add one for the "
    "site that respects the origin's headers.",
)
COOKIE = FindingType(
    id="not-kept-cookie",
    level=FindingLevel.ERROR,
    title="A page is not stored because it sets a cookie.",
    advice=(
        "Find the component that sets it (a load balancer, a session, "
        "analytics) and switch it off for public pages."
    ),
)
VARY = FindingType(
    id="not-kept-vary",
    level=FindingLevel.ERROR,
    title=("A page is not stored because it varies on a field that differs from reader to reader."),
    advice=("Remove Cookie, User-Agent, * and similar fields from Vary; Accept-Encoding may stay."),
)
VARIANTS = FindingType(
    id="not-kept-variants",
    level=FindingLevel.WARNING,
    title=("A page is not stored because the edge can't store its variants separately."),
    advice=(
        "Give each variant a URL of its own (/de/…); or configure the edge to "
        "store variants by that field: name it in FLASK_EDGE_VARY and set the "
        "edge up with `flask edge config` (Cloudflare, CloudFront)."
    ),
)
POLICY = FindingType(
    id="not-kept-policy",
    level=FindingLevel.WARNING,
    title="A page is not stored because its own Cache-Control forbids it.",
    advice=(
        "If the page is the same for every reader, give its view a policy that "
        "allows an edge to store it."
    ),
)
PASSED = FindingType(
    id="not-kept-pass",
    level=FindingLevel.ERROR,
    title="The edge bypasses its cache for a page.",
    advice=(
        "A rule of the edge bypasses the cache for this page: check its page "
        "rules, VCL or proxy_cache_bypass."
    ),
)
MISSED = FindingType(
    id="not-kept",
    level=FindingLevel.ERROR,
    title="A page is fetched from the origin again and again.",
    advice=(
        "The headers allow the edge to store it, so check the edge: is its "
        "dialect set with FLASK_EDGE, does a rule override the TTL, is its "
        "store full?"
    ),
)

_NO_STORE_DIRECTIVES: Final = ("no-store", "private", "no-cache")
_HARMLESS_VARY: Final = frozenset({"accept-encoding", "origin", "accept"})
_PER_READER_VARY: Final = frozenset({"*", "authorization", "cookie", "user-agent"})


def _is_closed_variant(exchange: Exchange) -> bool:
    """Return whether the origin forbids storing a page that has variants."""
    fields = exchange.vary_names - {"accept-encoding"}
    lines = [*exchange.fields.lines("cache-control"), *exchange.fields.lines("cdn-cache-control")]
    forbids_storing = "no-store" in ", ".join(lines).lower()
    return bool(fields) and not fields & _PER_READER_VARY and forbids_storing


def miss_reason(exchange: Exchange) -> FindingType:
    """Return why a response was not a HIT, as far as its headers show."""
    return next(kind for kind, holds in _REASONS if holds(exchange))


_REASONS: tuple[tuple[FindingType, Callable[[Exchange], bool]], ...] = (
    (COOKIE, lambda exchange: "set-cookie" in exchange.fields),
    (VARIANTS, _is_closed_variant),
    (VARY, lambda exchange: bool(exchange.vary_names - _HARMLESS_VARY)),
    (
        POLICY,
        lambda exchange: any(
            exchange.cache_control.is_unqualified(name) for name in _NO_STORE_DIRECTIVES
        ),
    ),
    (NO_RULE, lambda exchange: _has_outcome(exchange, CacheOutcome.DYNAMIC)),
    (PASSED, lambda exchange: _has_outcome(exchange, CacheOutcome.PASS)),
    (MISSED, lambda _: True),
)


def _has_outcome(exchange: Exchange, outcome: CacheOutcome) -> bool:
    return exchange.outermost is not None and exchange.outermost.outcome is outcome


def _inspect(context: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for sentence in context.profile.unkept_variants if context.profile else ():
        yield VARIANTS.with_evidence(sentence)
    ok_visits = [visit for visit in context.visits if visit.last.status == 200]  # noqa: PLR2004 - OK
    if ok_visits and not any(visit.last.cache_results for visit in ok_visits):
        yield NO_CACHE.with_evidence(
            f"{len(ok_visits)} pages were requested twice; {ok_visits[0].last.to_text()}"
        )
        return
    for visit in ok_visits:
        if not visit.last.is_hit:
            yield miss_reason(visit.last).with_evidence(_evidence(visit))


def _evidence(visit: Visit) -> str:
    last = visit.last
    parts = [f"the {visit.page.kind}, {last.to_text()}"]
    parts += [
        f"{name}: {last.fields.combined(name)}" for name in _EVIDENCE_FIELDS if name in last.fields
    ]
    return "; ".join(parts)


_EVIDENCE_FIELDS: Final = ("cache-control", "vary")

CHECK = Check(
    name="kept",
    question="Are pages, feeds, static files and media a HIT the second time?",
    finding_types=(NO_CACHE, NO_RULE, COOKIE, VARIANTS, VARY, POLICY, PASSED, MISSED),
    inspect=_inspect,
)
