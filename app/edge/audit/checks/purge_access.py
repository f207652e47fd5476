"""Purging: whether anybody can purge the edge; tried on an address where no page is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, Seen, Trial
from ..exchange import BROWSER, Ask, Exchange
from ..findings import Finding, Kind, Level

OPEN = Kind(
    id="purge-open",
    level=Level.ERROR,
    title="Anybody can purge the edge: no secret is asked for.",
    advice="Whoever purges in a loop sends all readers to the origin: demand the secret "
    "(FLASK_EDGE_VARNISH_SECRET) and allow your own addresses alone.",
)

_TAG = ("xkey-softpurge", "p-000000000000000000000000")
_REDIRECTS = 300


def _trials(seen: Seen) -> Iterator[Trial]:
    target = seen.never_there("purge")
    for method, headers in (("PURGE", ()), ("PURGE", (_TAG,)), ("BAN", ())):
        asks = (
            Ask(target=target),
            Ask(target=target, method=method, headers=(*BROWSER, *headers)),
        )
        yield Trial(asks=asks, judge=_judge)


def _judge(got: Sequence[Exchange]) -> Iterator[Finding]:
    """A server that does not know the method and sends the page all the same purges nothing."""
    page, purge = got
    treated_as_get = (page.status, page.content()) == (purge.status, purge.content())
    if purge.status < _REDIRECTS and not treated_as_get:
        yield OPEN.found(purge.words())


CHECK = Check(
    name="purging",
    question="Can anybody purge the edge?",
    kinds=(OPEN,),
    trials=_trials,
)
