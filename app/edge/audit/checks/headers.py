"""Check that headers for browsers arrive unchanged and that headers for the edge stay there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...http.fields import FieldLine
from ...policy.cdn_headers import EDGE_FIELDS
from ..check import Check, CheckContext, Visit
from ..exchange import Exchange
from ..findings import AuditFinding, FindingLevel, FindingType

LOST = FindingType(
    id="security-lost",
    level=FindingLevel.ERROR,
    title="A security header of the app does not reach the reader.",
    advice=(
        "An intermediary removes it: check the edge's response rules, and purge "
        "the pages that it stored without the header."
    ),
)
CHANGED = FindingType(
    id="security-changed",
    level=FindingLevel.WARNING,
    title="A security header of the app arrives with another value.",
    advice="Set it in one place: switch off the edge's own setting for it.",
)
ABSENT = FindingType(
    id="security-absent",
    level=FindingLevel.NOTE,
    title="A common security header is not sent.",
    advice=("Consider adding it; each of these headers prevents a class of attacks on readers."),
)
BROWSER_STALE = FindingType(
    id="browser-stale",
    level=FindingLevel.WARNING,
    title=("Cache-Control allows browsers to show an old page while they fetch a new one."),
    advice=(
        "stale-while-revalidate and stale-if-error are for the edge, which is "
        "purged; a browser is not. Send them in CDN-Cache-Control or "
        "Surrogate-Control, and remove them from Cache-Control."
    ),
)
STALE_OFF = FindingType(
    id="stale-switched-off",
    level=FindingLevel.WARNING,
    title="s-maxage disables a stale directive in the same header.",
    advice=(
        "s-maxage forbids serving stale (RFC 9111 §5.2.2.10): send the edge's "
        "TTL as max-age in a field of its own."
    ),
)
BROWSER_KEEPS = FindingType(
    id="browser-keeps",
    level=FindingLevel.WARNING,
    title=("Cache-Control makes browsers store a page that they should revalidate each time."),
    advice="The edge rewrites max-age: on Cloudflare set Browser Cache TTL to 'Respect Existing "
    "Headers'. No purge reaches a browser.",
)
SHOWN = FindingType(
    id="edge-field-shown",
    level=FindingLevel.NOTE,
    title="A field that is meant for the edge reaches readers.",
    advice=("It does no harm, but it shows how pages are tagged: configure the edge to remove it."),
)

_COMMON = ("content-security-policy", "referrer-policy", "x-content-type-options")
_FORWARDED_FIELDS = frozenset({"CDN-Cache-Control"})
"""RFC 9213 allows a CDN to forward it, because the next CDN reads it too."""

_PAGES = ("home", "article", "topic")
_STALE = ("stale-while-revalidate", "stale-if-error")


def _inspect(context: CheckContext, exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for visit in context.visits_of("home", "article", "topic", "feed", "static", "media"):
        yield from _check_security_headers(context, visit)
    for visit in context.visits_of(*_PAGES, "feed"):
        yield from _check_cache_control(visit.last)
        if (
            context.profile is not None
            and context.profile.browser_revalidates
            and visit.last.cache_control.delta_seconds("max-age")
        ):
            yield BROWSER_KEEPS.with_evidence(_cache_control_evidence(visit.last))
    visible_fields = {
        name: exchange
        for exchange in exchanges
        for name in sorted(EDGE_FIELDS - _FORWARDED_FIELDS)
        if name.lower() in exchange.fields and not exchange.request.to_origin
    }
    for name, exchange in visible_fields.items():
        yield SHOWN.with_evidence(f"{name} on {exchange.to_text()}")


def _check_security_headers(context: CheckContext, visit: Visit) -> Iterator[AuditFinding]:
    fields = visit.last.fields
    for name, value in _expected_headers(context):
        actual = fields.combined(name.lower())
        if name.lower() not in fields:
            yield LOST.with_evidence(f"{name} on {visit.last.to_text()}")
        elif actual != value:
            yield CHANGED.with_evidence(f"{name} on {visit.last.to_text()} is {actual!r}")
    if context.profile is None and visit.page.kind == "home":
        common_names = (
            (*_COMMON, "strict-transport-security") if context.address.is_https else _COMMON
        )
        for name in common_names:
            if name not in fields:
                yield ABSENT.with_evidence(f"{name} on {visit.last.to_text()}")


def _expected_headers(context: CheckContext) -> tuple[FieldLine, ...]:
    if context.profile is None:
        return ()
    return context.profile.security_headers + (
        context.profile.https_headers if context.address.is_https else ()
    )


def _check_cache_control(exchange: Exchange) -> Iterator[AuditFinding]:
    directives = exchange.cache_control
    stale = any(directives.delta_seconds(name) for name in _STALE)
    if stale and ("s-maxage" in directives or "proxy-revalidate" in directives):
        yield STALE_OFF.with_evidence(_cache_control_evidence(exchange))
    if stale:
        yield BROWSER_STALE.with_evidence(_cache_control_evidence(exchange))


def _cache_control_evidence(exchange: Exchange) -> str:
    return f"{exchange.to_text()}, Cache-Control: {exchange.cache_control}"


CHECK = Check(
    name="headers",
    question="Do the headers for browsers arrive intact, and do those for the edge stay there?",
    finding_types=(LOST, CHANGED, ABSENT, BROWSER_STALE, STALE_OFF, BROWSER_KEEPS, SHOWN),
    inspect=_inspect,
)
