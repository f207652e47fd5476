"""Check that ETag, If-None-Match and 304 work through the edge (RFC 9110 §13)."""

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

_REQUIRED_FIELDS = ("etag", "cache-control", "vary", "expires")
_KINDS = ("article", "home", "static", "media")


def _probes(context: CheckContext) -> Iterator[Probe]:
    pages = context.visits_of("article", "home")[:1] + context.visits_of("static", "media", "feed")
    for visit in pages:
        etag = visit.last.fields.first("etag")
        modified = visit.last.fields.first("last-modified")
        if etag:
            yield _etag_probe(visit, etag)
        if modified:
            yield _date_probe(visit, modified)


def _etag_probe(visit: Visit, etag: str) -> Probe:
    weak = etag if etag.startswith("W/") else f"W/{etag}"
    etag_lists = (etag, weak, f'"edge-check", {etag}', '"edge-check"')
    requests = tuple(
        _conditional_request(visit, ("If-None-Match", etag_list)) for etag_list in etag_lists
    )

    def evaluate(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
        yield from _expect_not_modified(exchanges[:-2], visit.last)
        if exchanges[-2].status == HTTPStatus.OK:
            yield LIST.with_evidence(exchanges[-2].to_text())
        if exchanges[-1].status == HTTPStatus.NOT_MODIFIED:
            yield ALWAYS.with_evidence(exchanges[-1].to_text())

    return Probe(requests=requests, evaluate=evaluate)


def _date_probe(visit: Visit, modified: str) -> Probe:
    request = _conditional_request(visit, ("If-Modified-Since", modified))
    return Probe(
        requests=(request,), evaluate=lambda exchanges: _expect_not_modified(exchanges, visit.last)
    )


def _conditional_request(visit: Visit, condition: tuple[str, str]) -> ProbeRequest:
    return ProbeRequest(target=visit.page.target, headers=(*BROWSER_HEADERS, condition))


def _expect_not_modified(exchanges: Sequence[Exchange], page: Exchange) -> Iterator[AuditFinding]:
    for exchange in exchanges:
        if exchange.status == HTTPStatus.OK:
            yield IGNORED.with_evidence(exchange.to_text())
        elif exchange.status == HTTPStatus.NOT_MODIFIED:
            missing_names = [
                name
                for name in _REQUIRED_FIELDS
                if name in page.fields and name not in exchange.fields
            ]
            if missing_names:
                yield INCOMPLETE.with_evidence(
                    f"{exchange.to_text()} lacks {', '.join(missing_names)}"
                )


def _inspect(context: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for visit in context.visits_of(*_KINDS):
        fields = visit.last.fields
        if "etag" not in fields and "last-modified" not in fields:
            yield ABSENT.with_evidence(visit.last.to_text())
        if _has_changing_etag(visit.exchanges):
            yield UNSTEADY.with_evidence(visit.last.to_text())


def _has_changing_etag(exchanges: Sequence[Exchange]) -> bool:
    """Return whether equal bytes in the same coding had different tags."""
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
    probes=_probes,
    inspect=_inspect,
)
