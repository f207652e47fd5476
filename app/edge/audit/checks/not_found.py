"""Check that an unknown URL is answered with a 404 that has a short TTL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from ...http import dates
from ..check import Check, CheckContext, Probe
from ..exchange import Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

ANSWERED_200 = FindingType(
    id="missing-is-200",
    level=FindingLevel.WARNING,
    title="An unknown URL is answered like a page.",
    advice=(
        "Each made-up URL then fills the cache: answer 404. If all URLs show "
        "the same page, the check may have seen a log-in page or a captive "
        "portal."
    ),
)
LONG = FindingType(
    id="missing-kept-long",
    level=FindingLevel.ERROR,
    title="A 404 is stored for longer than ten minutes.",
    advice=(
        "A page that is published under this URL stays missing for this time: "
        "configure the edge to obey the origin's TTL for 404s, or set it to a "
        "minute."
    ),
)
MAX_SECONDS = 600
"""Seconds. Do not rely on purging the cached 404 of a URL that had no page."""

ALWAYS_MISSING = "/edge-check-never-here"
"""The same path in every audit, so that its Age shows how long the edge stores a 404."""


def _probes(context: CheckContext) -> Iterator[Probe]:
    unique = ProbeRequest(target=context.missing_path("missing"))
    yield Probe(requests=(unique, unique, ProbeRequest(target=ALWAYS_MISSING)), evaluate=_evaluate)


def _evaluate(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if exchanges[0].status == HTTPStatus.OK:
        yield ANSWERED_200.with_evidence(exchanges[0].to_text())
        return
    for exchange in exchanges:
        seconds = cached_seconds(exchange)
        if exchange.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} and seconds > MAX_SECONDS:
            yield LONG.with_evidence(f"{exchange.to_text()}: {seconds:g} seconds")
            return


def cached_seconds(exchange: Exchange) -> float:
    """Return the longest time for which a cache may store this response, from all its headers."""
    durations = [served.ttl or 0.0 for served in exchange.cache_results]
    control = exchange.cache_control
    if "no-store" not in control and not control.is_unqualified("private"):
        durations += [float(control.delta_seconds(name) or 0) for name in ("s-maxage", "max-age")]
        durations.append(_until_expiry(exchange))
    if exchange.has_hit:
        durations.append(float(exchange.age))
    return max(durations, default=0.0)


def _until_expiry(exchange: Exchange) -> float:
    fields = exchange.fields
    date = dates.parse_http_date(fields.single("date"), now=0)
    expires = dates.parse_http_date(fields.single("expires"), now=0)
    return float(expires - date) if date and expires else 0.0


CHECK = Check(
    name="missing",
    question="Is an unknown URL a 404 with a short TTL?",
    finding_types=(ANSWERED_200, LONG),
    probes=_probes,
)
