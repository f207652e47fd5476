"""Check that a cookie reaches only its reader, and that cookies cause no cache misses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, CheckContext, Probe
from ..exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

STORED = FindingType(
    id="cookie-stored",
    level=FindingLevel.ERROR,
    title="The edge stores a cookie with a page and sends it to every reader.",
    advice=(
        "Purge the edge now, then configure it to bypass the cache for "
        "responses that set a cookie (the generated VCL does) or to remove the "
        "cookie before it stores the page."
    ),
)
SPLITS = FindingType(
    id="cookie-splits",
    level=FindingLevel.WARNING,
    title="A reader with an analytics cookie misses the cache.",
    advice=(
        "Configure the edge to ignore cookies on public pages: remove Cookie "
        "from its cache key and its bypass rules."
    ),
)

_ANALYTICS = "_ga=GA1.2.{token}; _fbp=fb.1.{token}"


def _probes(context: CheckContext) -> Iterator[Probe]:
    if context.profile is not None and context.profile.cookie_path is not None:
        yield Probe(
            requests=(ProbeRequest(target=context.profile.cookie_path),) * 2,
            evaluate=_expect_different_cookies,
        )
    for visit in context.visits_of("article", "home")[:1]:
        if visit.last.is_hit:
            cookie = ("Cookie", _ANALYTICS.format(token=context.token))
            request = ProbeRequest(target=visit.page.target, headers=(*BROWSER_HEADERS, cookie))
            yield Probe(requests=(request,), evaluate=_expect_hit)


def _expect_different_cookies(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    """Compare the cookies of two responses: the probe page sets a new value for each response."""
    first, second = (exchange.fields.lines("set-cookie") for exchange in exchanges)
    if first and first == second:
        yield STORED.with_evidence(f"{exchanges[1].to_text()}: two readers got one cookie")


def _expect_hit(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if not exchanges[0].is_hit:
        yield SPLITS.with_evidence(exchanges[0].to_text())


def _inspect(_: CheckContext, exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for exchange in exchanges:
        # A CDN adds its own cookies (__cf_bm) to a HIT, with a new value for each reader.
        cookie_lines = [
            line for line in exchange.fields.lines("set-cookie") if not line.startswith("__cf")
        ]
        if cookie_lines and exchange.is_hit:
            names = ", ".join(line.partition("=")[0] for line in cookie_lines)
            yield STORED.with_evidence(f"{exchange.to_text()} sets {names}")


CHECK = Check(
    name="cookies",
    question="Does a cookie reach only its reader, without an effect on the cache?",
    finding_types=(STORED, SPLITS),
    probes=_probes,
    inspect=_inspect,
)
