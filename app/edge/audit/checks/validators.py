"""Validators: whether ETag, If-None-Match and 304 work through the edge (RFC 9110 §13)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from ..check import Check, CheckContext, Probe, Visit
from ..exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

ABSENT = FindingType(
    id="etag-missing",
    level=FindingLevel.WARNING,
    title="A page has neither ETag nor Last-Modified, so browsers fetch it whole each time.",
    advice=(
        "An intermediary removes them, or the origin sends none: Cloudflare "
        "drops them when it rewrites HTML."
    ),
)
IGNORED = FindingType(
    id="etag-ignored",
    level=FindingLevel.WARNING,
    title=("A browser that already has the page gets the whole page instead of a 304."),
    advice=(
        "Configure the edge to answer If-None-Match (weak tags too) and If-Modified-Since itself."
    ),
)
LIST = FindingType(
    id="etag-list-ignored",
    level=FindingLevel.NOTE,
    title="An If-None-Match with several tags is answered with the whole page.",
    advice="Browsers send one tag, so readers lose nothing; only a cache in front of this one "
    "sends lists. Varnish does not read them.",
)
ALWAYS = FindingType(
    id="etag-always-matches",
    level=FindingLevel.ERROR,
    title="A 304 is given to a browser that has another version of the page.",
    advice=(
        "Browsers keep the old page indefinitely: the edge or the origin does not compare the tag."
    ),
)
UNSTEADY = FindingType(
    id="etag-unsteady",
    level=FindingLevel.WARNING,
    title="The same content has a different ETag each time.",
    advice="The tag must depend on the bytes alone, not on a file's time or the machine.",
)
INCOMPLETE = FindingType(
    id="not-modified-incomplete",
    level=FindingLevel.WARNING,
    title="A 304 lacks fields that the page itself has.",
    advice="ETag, Cache-Control, Vary and Expires belong on a 304 too (RFC 9110 §15.4.5).",
)

_BELONG = ("etag", "cache-control", "vary", "expires")
_KINDS = ("article", "home", "static", "media")


def _trials(seen: CheckContext) -> Iterator[Probe]:
    pages = seen.visits_of("article", "home")[:1] + seen.visits_of("static", "media", "feed")
    for visit in pages:
        etag = visit.last.fields.first("etag")
        modified = visit.last.fields.first("last-modified")
        if etag:
            yield _tagged(visit, etag)
        if modified:
            yield _dated(visit, modified)


def _tagged(visit: Visit, etag: str) -> Probe:
    weak = etag if etag.startswith("W/") else f"W/{etag}"
    forms = (etag, weak, f'"edge-check", {etag}', '"edge-check"')
    asks = tuple(_asking(visit, ("If-None-Match", form)) for form in forms)

    def judge(got: Sequence[Exchange]) -> Iterator[AuditFinding]:
        yield from _confirmed(got[:-2], visit.last)
        if got[-2].status == HTTPStatus.OK:
            yield LIST.found(got[-2].to_text())
        if got[-1].status == HTTPStatus.NOT_MODIFIED:
            yield ALWAYS.found(got[-1].to_text())

    return Probe(requests=asks, evaluate=judge)


def _dated(visit: Visit, modified: str) -> Probe:
    ask = _asking(visit, ("If-Modified-Since", modified))
    return Probe(requests=(ask,), evaluate=lambda got: _confirmed(got, visit.last))


def _asking(visit: Visit, condition: tuple[str, str]) -> ProbeRequest:
    return ProbeRequest(target=visit.page.target, headers=(*BROWSER_HEADERS, condition))


def _confirmed(got: Sequence[Exchange], whole: Exchange) -> Iterator[AuditFinding]:
    for exchange in got:
        if exchange.status == HTTPStatus.OK:
            yield IGNORED.found(exchange.to_text())
        elif exchange.status == HTTPStatus.NOT_MODIFIED:
            lacking = [
                name for name in _BELONG if name in whole.fields and name not in exchange.fields
            ]
            if lacking:
                yield INCOMPLETE.found(f"{exchange.to_text()} lacks {', '.join(lacking)}")


def _look(seen: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for visit in seen.visits_of(*_KINDS):
        fields = visit.last.fields
        if "etag" not in fields and "last-modified" not in fields:
            yield ABSENT.found(visit.last.to_text())
        if _unsteady(visit.exchanges):
            yield UNSTEADY.found(visit.last.to_text())


def _unsteady(exchanges: Sequence[Exchange]) -> bool:
    """Whether equal bytes, in one coding, came with different tags."""
    tags: dict[tuple[str, bytes], str] = {}
    for exchange in exchanges:
        etag = exchange.fields.first("etag")
        if etag and tags.setdefault((exchange.content_coding, exchange.body), etag) != etag:
            return True
    return False


CHECK = Check(
    name="validators",
    question="Do ETag and 304 work through the edge?",
    finding_types=(ABSENT, IGNORED, LIST, ALWAYS, UNSTEADY, INCOMPLETE),
    probes=_trials,
    inspect=_look,
)
