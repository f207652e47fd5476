"""Codings: whether brotli and gzip are right through the edge (RFC 9110 §8.4, §12.5.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from ...http.codings import weights
from ...http.validators import ETag
from ..check import Check, Seen, Trial
from ..exchange import Ask, Exchange
from ..findings import Finding, Kind, Level

BROKEN = Kind(
    id="coding-broken",
    level=Level.ERROR,
    title="A body is not in the coding that Content-Encoding names.",
    advice="Readers see garbage or an error: something on the way packs, unpacks or relabels it "
    "wrongly. Let only one of origin and edge compress.",
)
NOT_ASKED = Kind(
    id="coding-not-asked",
    level=Level.ERROR,
    title="A reader gets a coding that was not asked for, or that was refused.",
    advice="The edge must keep one copy a coding: Vary: Accept-Encoding has to reach it, "
    "and it has to heed q=0.",
)
NO_VARY = Kind(
    id="vary-missing",
    level=Level.ERROR,
    title="A packed page does not say Vary: Accept-Encoding.",
    advice="A cache between the edge and the reader will give packed bytes to whoever can't read "
    "them: don't drop Vary at the edge.",
)
DIFFERS = Kind(
    id="coding-differs",
    level=Level.WARNING,
    title="A page has other content in another coding.",
    advice="One of the copies is old or was rewritten on the way: purge all variants together.",
)
ONE_TAG = Kind(
    id="etag-shared",
    level=Level.WARNING,
    title="Different codings of a page carry the same strong ETag.",
    advice="A range of one can be joined to the other: give each coding a tag of its own, "
    "or a weak one.",
)
PLAIN = Kind(
    id="not-compressed",
    level=Level.NOTE,
    title="A text is sent unpacked to a reader who takes brotli and gzip.",
    advice="Let the edge or the origin compress text; it is mostly four times as small.",
)

_SMALL = 1_000
_TEXT = ("text/", "application/json", "application/javascript", "application/xml", "image/svg")
_ASKED: tuple[tuple[str, ...], ...] = (
    ("br",),
    ("gzip",),
    (),
    ("br;q=0, gzip",),
    ("gzip;q=0, br;q=0, identity",),
)


def _trials(seen: Seen) -> Iterator[Trial]:
    for visit in seen.of("article", "home")[:1] + seen.of("static"):
        asks = tuple(
            Ask(
                target=visit.page.target,
                headers=tuple(("Accept-Encoding", codings) for codings in asked),
            )
            for asked in _ASKED
        )
        yield Trial(asks=asks, judge=_judge)


def _judge(got: Sequence[Exchange]) -> Iterator[Finding]:
    whole = [exchange for exchange in got if exchange.status == HTTPStatus.OK]
    for exchange in whole:
        if exchange.coding and not _wanted(exchange):
            yield NOT_ASKED.found(f"{exchange.words()}, Content-Encoding: {exchange.coding}")
    plain = next((e for e in whole if not e.coding and not e.ask.headers), None)
    for exchange in whole:
        if plain is not None and exchange.coding:
            yield from _compared(plain, exchange)


def _wanted(exchange: Exchange) -> bool:
    asked = weights(", ".join(value for _, value in exchange.ask.headers))
    return asked.get(exchange.coding, asked.get("*", 0.0)) > 0


def _compared(plain: Exchange, packed: Exchange) -> Iterator[Finding]:
    content = packed.content()
    both_kept = plain.hit and packed.hit and not (plain.cut or packed.cut)
    if content is not None and both_kept and content != plain.body:
        yield DIFFERS.found(f"{packed.words()}: {len(content)} bytes, plain {len(plain.body)}")
    one, other = (ETag.parse(e.fields.first("etag")) for e in (plain, packed))
    if one is not None and other is not None and one.same_strongly(other):
        yield ONE_TAG.found(f"{packed.words()}: ETag {one}")


def _look(seen: Seen, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    for exchange in exchanges:
        if exchange.status == HTTPStatus.OK and exchange.ask.method == "GET":
            yield from _packed(exchange)
    for visit in seen.of("home", "article", "topic", "feed", "static"):
        if _left_plain(visit.last):
            yield PLAIN.found(f"{visit.last.words()}: {len(visit.last.body)} bytes")


def _packed(exchange: Exchange) -> Iterator[Finding]:
    if exchange.content() is None or _unlabelled(exchange):
        said = exchange.coding or "nothing"
        yield BROKEN.found(f"{exchange.words()}, Content-Encoding says {said}")
    if exchange.coding and not exchange.varies & {"accept-encoding", "*"}:
        yield NO_VARY.found(f"{exchange.words()}, Content-Encoding: {exchange.coding}")


def _unlabelled(exchange: Exchange) -> bool:
    """Whether a text begins like a gzip that nobody has announced."""
    return not exchange.coding and _is_text(exchange) and exchange.body.startswith(b"\x1f\x8b")


def _left_plain(exchange: Exchange) -> bool:
    return not exchange.coding and _is_text(exchange) and len(exchange.body) > _SMALL


def _is_text(exchange: Exchange) -> bool:
    kind = exchange.media_type
    return kind.startswith(_TEXT) or kind.endswith(("+xml", "+json"))


CHECK = Check(
    name="codings",
    question="Are brotli and gzip right?",
    kinds=(BROKEN, NOT_ASKED, NO_VARY, DIFFERS, ONE_TAG, PLAIN),
    trials=_trials,
    look=_look,
)
