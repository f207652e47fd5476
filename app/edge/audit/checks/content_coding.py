"""Check brotli and gzip through the edge (RFC 9110 §8.4, §12.5.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from ...http.codings import parse_weights
from ...http.validators import ETag
from ..check import Check, CheckContext, Probe
from ..exchange import Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

BROKEN = FindingType(
    id="coding-broken",
    level=FindingLevel.ERROR,
    title="A body is not in the coding that Content-Encoding names.",
    advice=(
        "Readers see garbage or an error: an intermediary compresses, "
        "decompresses or labels the body wrongly. Compress either at the origin "
        "or at the edge, not at both."
    ),
)
NOT_ASKED = FindingType(
    id="coding-not-asked",
    level=FindingLevel.ERROR,
    title="A reader gets a coding that was not requested, or that was refused.",
    advice=(
        "The edge must store one copy per coding: Vary: Accept-Encoding must "
        "reach it, and it must obey q=0."
    ),
)
NO_VARY = FindingType(
    id="vary-missing",
    level=FindingLevel.ERROR,
    title="A compressed page has no Vary: Accept-Encoding.",
    advice=(
        "A cache between the edge and the reader will send compressed bytes to "
        "clients that can't read them: do not remove Vary at the edge."
    ),
)
DIFFERS = FindingType(
    id="coding-differs",
    level=FindingLevel.WARNING,
    title="The content of a page differs between codings.",
    advice="One of the copies is old or was rewritten on the way: purge all variants together.",
)
ONE_TAG = FindingType(
    id="etag-shared",
    level=FindingLevel.WARNING,
    title="Different codings of a page carry the same strong ETag.",
    advice=(
        "A client may join a range of one coding to the other: give each coding "
        "a tag of its own, or a weak one."
    ),
)
PLAIN = FindingType(
    id="not-compressed",
    level=FindingLevel.NOTE,
    title="A text is sent uncompressed to a reader who accepts brotli and gzip.",
    advice=(
        "Compress text at the edge or at the origin; the result is usually a quarter of the size."
    ),
)

_MIN_COMPRESSIBLE = 1_000
_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "image/svg")
_ACCEPT_ENCODINGS: tuple[tuple[str, ...], ...] = (
    ("br",),
    ("gzip",),
    (),
    ("br;q=0, gzip",),
    ("gzip;q=0, br;q=0, identity",),
)


def _probes(context: CheckContext) -> Iterator[Probe]:
    for visit in context.visits_of("article", "home")[:1] + context.visits_of("static"):
        requests = tuple(
            ProbeRequest(
                target=visit.page.target,
                headers=tuple(("Accept-Encoding", codings) for codings in accepted_codings),
            )
            for accepted_codings in _ACCEPT_ENCODINGS
        )
        yield Probe(requests=requests, evaluate=_evaluate)


def _evaluate(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    ok_exchanges = [exchange for exchange in exchanges if exchange.status == HTTPStatus.OK]
    for exchange in ok_exchanges:
        if exchange.content_coding and not _is_accepted(exchange):
            yield NOT_ASKED.with_evidence(
                f"{exchange.to_text()}, Content-Encoding: {exchange.content_coding}"
            )
    plain = next((e for e in ok_exchanges if not e.content_coding and not e.request.headers), None)
    for exchange in ok_exchanges:
        if plain is not None and exchange.content_coding:
            yield from _compare_codings(plain, exchange)


def _is_accepted(exchange: Exchange) -> bool:
    weights = parse_weights(", ".join(value for _, value in exchange.request.headers))
    return weights.get(exchange.content_coding, weights.get("*", 0.0)) > 0


def _compare_codings(plain: Exchange, packed: Exchange) -> Iterator[AuditFinding]:
    content = packed.content()
    both_cached = plain.is_hit and packed.is_hit and not (plain.is_truncated or packed.is_truncated)
    if content is not None and both_cached and content != plain.body:
        yield DIFFERS.with_evidence(
            f"{packed.to_text()}: {len(content)} bytes, plain {len(plain.body)}"
        )
    plain_etag, packed_etag = (ETag.parse(e.fields.first("etag")) for e in (plain, packed))
    if (
        plain_etag is not None
        and packed_etag is not None
        and plain_etag.matches_strongly(packed_etag)
    ):
        yield ONE_TAG.with_evidence(f"{packed.to_text()}: ETag {plain_etag}")


def _inspect(context: CheckContext, exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    for exchange in exchanges:
        if exchange.status == HTTPStatus.OK and exchange.request.method == "GET":
            yield from _check_coding(exchange)
    for visit in context.visits_of("home", "article", "topic", "feed", "static"):
        if _is_uncompressed_text(visit.last):
            yield PLAIN.with_evidence(f"{visit.last.to_text()}: {len(visit.last.body)} bytes")


def _check_coding(exchange: Exchange) -> Iterator[AuditFinding]:
    if exchange.content() is None or _is_unlabelled_gzip(exchange):
        coding = exchange.content_coding or "nothing"
        yield BROKEN.with_evidence(f"{exchange.to_text()}, Content-Encoding says {coding}")
    if exchange.content_coding and not exchange.vary_names & {"accept-encoding", "*"}:
        yield NO_VARY.with_evidence(
            f"{exchange.to_text()}, Content-Encoding: {exchange.content_coding}"
        )


def _is_unlabelled_gzip(exchange: Exchange) -> bool:
    """Return whether a text is gzip-compressed without a Content-Encoding."""
    return (
        not exchange.content_coding and _is_text(exchange) and exchange.body.startswith(b"\x1f\x8b")
    )


def _is_uncompressed_text(exchange: Exchange) -> bool:
    return (
        not exchange.content_coding
        and _is_text(exchange)
        and len(exchange.body) > _MIN_COMPRESSIBLE
    )


def _is_text(exchange: Exchange) -> bool:
    kind = exchange.media_type
    return kind.startswith(_TEXT) or kind.endswith(("+xml", "+json"))


CHECK = Check(
    name="codings",
    question="Are brotli and gzip right?",
    finding_types=(BROKEN, NOT_ASKED, NO_VARY, DIFFERS, ONE_TAG, PLAIN),
    probes=_probes,
    inspect=_inspect,
)
