"""Headers: whether those for the browser arrive intact, and those for the edge stay there."""

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
_PASSED_ON = frozenset({"CDN-Cache-Control"})
"""RFC 9213 lets it go on: the next CDN on the way reads it too."""

_PAGES = ("home", "article", "topic")
_STALE = ("stale-while-revalidate", "stale-if-error")


def _look(seen: CheckContext, exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for visit in seen.visits_of("home", "article", "topic", "feed", "static", "media"):
        yield from _security(seen, visit)
    for visit in seen.visits_of(*_PAGES, "feed"):
        yield from _told_to_browsers(visit.last)
        if (
            seen.ours is not None
            and seen.ours.browser_revalidates
            and visit.last.cache_control.delta_seconds("max-age")
        ):
            yield BROWSER_KEEPS.found(_said(visit.last))
    shown = {
        name: exchange
        for exchange in exchanges
        for name in sorted(EDGE_FIELDS - _PASSED_ON)
        if name.lower() in exchange.fields and not exchange.request.to_origin
    }
    for name, exchange in shown.items():
        yield SHOWN.found(f"{name} on {exchange.to_text()}")


def _security(seen: CheckContext, visit: Visit) -> Iterator[AuditFinding]:
    fields = visit.last.fields
    for name, value in _promised(seen):
        got = fields.combined(name.lower())
        if name.lower() not in fields:
            yield LOST.found(f"{name} on {visit.last.to_text()}")
        elif got != value:
            yield CHANGED.found(f"{name} on {visit.last.to_text()} is {got!r}")
    if seen.ours is None and visit.page.kind == "home":
        wanted = (*_COMMON, "strict-transport-security") if seen.address.is_https else _COMMON
        for name in wanted:
            if name not in fields:
                yield ABSENT.found(f"{name} on {visit.last.to_text()}")


def _promised(seen: CheckContext) -> tuple[FieldLine, ...]:
    if seen.ours is None:
        return ()
    return seen.ours.security_headers + (seen.ours.https_headers if seen.address.is_https else ())


def _told_to_browsers(exchange: Exchange) -> Iterator[AuditFinding]:
    said = exchange.cache_control
    stale = any(said.delta_seconds(name) for name in _STALE)
    if stale and ("s-maxage" in said or "proxy-revalidate" in said):
        yield STALE_OFF.found(_said(exchange))
    if stale:
        yield BROWSER_STALE.found(_said(exchange))


def _said(exchange: Exchange) -> str:
    return f"{exchange.to_text()}, Cache-Control: {exchange.cache_control}"


CHECK = Check(
    name="headers",
    question="Do the headers for browsers arrive intact, and do those for the edge stay there?",
    finding_types=(LOST, CHANGED, ABSENT, BROWSER_STALE, STALE_OFF, BROWSER_KEEPS, SHOWN),
    inspect=_look,
)
