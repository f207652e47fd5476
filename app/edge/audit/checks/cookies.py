"""Cookies: whether one stays with its reader, and none keeps readers from the cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, Seen, Trial
from ..exchange import BROWSER, Ask, Exchange
from ..findings import Finding, Kind, Level

STORED = Kind(
    id="cookie-stored",
    level=Level.ERROR,
    title="The edge keeps a cookie with a page and gives it to everyone.",
    advice="Purge the edge now, then let it pass on what sets a cookie (the shipped VCL does) or "
    "strip the cookie before it stores the page.",
)
SPLITS = Kind(
    id="cookie-splits",
    level=Level.WARNING,
    title="A reader with an analytics cookie misses the cache.",
    advice="Let the edge ignore cookies on public pages: take Cookie out of its key and its bypass "
    "rules.",
)

_ANALYTICS = "_ga=GA1.2.{token}; _fbp=fb.1.{token}"


def _trials(seen: Seen) -> Iterator[Trial]:
    if seen.ours is not None and seen.ours.cookie is not None:
        yield Trial(asks=(Ask(target=seen.ours.cookie),) * 2, judge=_same_cookie)
    for visit in seen.of("article", "home")[:1]:
        if visit.last.hit:
            cookie = ("Cookie", _ANALYTICS.format(token=seen.token))
            ask = Ask(target=visit.page.target, headers=(*BROWSER, cookie))
            yield Trial(asks=(ask,), judge=_still_hit)


def _same_cookie(got: Sequence[Exchange]) -> Iterator[Finding]:
    """A cookie of our page has another value each time it is made."""
    first, second = (exchange.fields.lines("set-cookie") for exchange in got)
    if first and first == second:
        yield STORED.found(f"{got[1].words()}: two readers got one cookie")


def _still_hit(got: Sequence[Exchange]) -> Iterator[Finding]:
    if not got[0].hit:
        yield SPLITS.found(got[0].words())


def _look(_: Seen, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    for exchange in exchanges:
        # A CDN adds cookies of its own (__cf_bm) to a HIT; they are made for each reader.
        own = [line for line in exchange.fields.lines("set-cookie") if not line.startswith("__cf")]
        if own and exchange.hit:
            names = ", ".join(line.partition("=")[0] for line in own)
            yield STORED.found(f"{exchange.words()} sets {names}")


CHECK = Check(
    name="cookies",
    question="Does a cookie stay with its reader, and leave the cache alone?",
    kinds=(STORED, SPLITS),
    trials=_trials,
    look=_look,
)
