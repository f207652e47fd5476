"""Missing: whether an address that names nothing is a 404, and soon forgotten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from ...http import dates
from ..check import Check, Seen, Trial
from ..exchange import Ask, Exchange
from ..findings import Finding, Kind, Level

FOUND = Kind(
    id="missing-is-200",
    level=Level.WARNING,
    title="An address that names nothing is answered as if it were a page.",
    advice="Each made-up address then fills the cache: answer 404. If all addresses show one page, "
    "a log-in wall or a captive portal may be what was checked.",
)
LONG = Kind(
    id="missing-kept-long",
    level=Level.ERROR,
    title="A 404 is kept for longer than ten minutes.",
    advice="A page that is published under that address stays missing as long: let the edge "
    "respect the origin's time for 404s, or set it to a minute.",
)
LONGEST = 600
"""Seconds; purging a page that never was is not to be relied on."""

ALWAYS_MISSING = "/edge-check-never-here"
"""The same each time, so that its Age tells how long the edge keeps it."""


def _trials(seen: Seen) -> Iterator[Trial]:
    own = Ask(target=seen.never_there("missing"))
    yield Trial(asks=(own, own, Ask(target=ALWAYS_MISSING)), judge=_judge)


def _judge(got: Sequence[Exchange]) -> Iterator[Finding]:
    if got[0].status == HTTPStatus.OK:
        yield FOUND.found(got[0].words())
        return
    for exchange in got:
        seconds = kept_for(exchange)
        if exchange.status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE} and seconds > LONGEST:
            yield LONG.found(f"{exchange.words()}: {seconds:g} seconds")
            return


def kept_for(exchange: Exchange) -> float:
    """How long caches keep an answer, by what they and its headers tell: the longest of all."""
    said = [served.ttl or 0.0 for served in exchange.served]
    control = exchange.control
    if "no-store" not in control and not control.whole("private"):
        said += [float(control.delta(name) or 0) for name in ("s-maxage", "max-age")]
        said.append(_until_expiry(exchange))
    if exchange.any_hit:
        said.append(float(exchange.age))
    return max(said, default=0.0)


def _until_expiry(exchange: Exchange) -> float:
    fields = exchange.fields
    sent = dates.parse(fields.only("date"), now=0)
    expires = dates.parse(fields.only("expires"), now=0)
    return float(expires - sent) if sent and expires else 0.0


CHECK = Check(
    name="missing",
    question="Is an address that names nothing a 404, and soon forgotten?",
    kinds=(FOUND, LONG),
    trials=_trials,
)
