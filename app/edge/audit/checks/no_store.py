"""Never stored: whether what no shared cache may keep is made anew for each reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, Seen, Trial
from ..exchange import Ask, Exchange
from ..findings import Finding, Kind, Level
from ..site_profile import Ours

NO_STORE = Kind(
    id="no-store-stored",
    level=Level.ERROR,
    title="The edge keeps a page that says no-store.",
    advice="A rule of the edge overrides the origin's Cache-Control: let it respect no-store, or "
    "one reader's page is shown to others.",
)
PRIVATE = Kind(
    id="private-hit",
    level=Level.ERROR,
    title="A page that only its reader may keep was answered from a shared cache.",
    advice="Purge the edge now, then let it respect private; log-ins and the "
    "studio must be passed.",
)
STRIPPED = Kind(
    id="no-store-lost",
    level=Level.ERROR,
    title="A page that says no-store arrives without it.",
    advice="The edge rewrites Cache-Control, so browsers and proxies behind it keep what they must "
    "not: let it pass the header on.",
)
TIMED = Kind(
    id="timed-not-kept",
    level=Level.WARNING,
    title="A page that an edge may keep for two minutes is made anew.",
    advice="The edge ignores max-age, or it has a minimum or a rule of its own: let it respect the "
    "origin's headers.",
)
TOO_LONG = Kind(
    id="kept-too-long",
    level=Level.ERROR,
    title="A page was served from a cache after the time that it may be kept.",
    advice="The edge has a TTL of its own that wins over the origin's: switch that override off.",
)


def _trials(seen: Seen) -> Iterator[Trial]:
    if seen.ours is None:
        for path in (seen.private,) if seen.private else ():
            yield Trial(asks=(Ask(target=path),) * 2, judge=_nothing)
        return
    ours = seen.ours
    yield Trial(asks=(Ask(target=ours.never_stored),) * 2, judge=_never)
    yield Trial(asks=(Ask(target=ours.kept),) * 2, judge=lambda got: _timed(got, ours))
    for path in ours.private:
        yield Trial(asks=(Ask(target=path),) * 2, judge=_nothing)


def _nothing(_: Sequence[Exchange]) -> Iterator[Finding]:
    """What is private is judged with everything else that was seen."""
    yield from ()


def _never(got: Sequence[Exchange]) -> Iterator[Finding]:
    first, second = got
    if "no-store" not in second.control:
        yield STRIPPED.found(f"{second.words()}, Cache-Control: {second.control}")
    if _repeated(first, second):
        yield NO_STORE.found(f"{second.words()}; both answers show the time of one making")


def _repeated(first: Exchange, second: Exchange) -> bool:
    """Whether two answers of a page that shows when it was made were made once."""
    return (
        second.any_hit or first.any_hit or bool(first.body and first.content() == second.content())
    )


def _timed(got: Sequence[Exchange], ours: Ours) -> Iterator[Finding]:
    first, second = got
    if second.status != 200:  # noqa: PLR2004 - OK
        return
    if second.served and not second.any_hit:
        yield TIMED.found(second.words())
    oldest = max(first.age, second.age)
    if oldest > ours.kept_for:
        yield TOO_LONG.found(
            f"{second.words()}: Age {oldest}, but it may be kept {ours.kept_for} s"
        )


def _look(_: Seen, exchanges: Sequence[Exchange]) -> Iterator[Finding]:
    for exchange in exchanges:
        said = exchange.control
        if not exchange.any_hit:
            continue
        if said.whole("private"):
            yield PRIVATE.found(f"{exchange.words()}, Cache-Control: {said}")
        elif "no-store" in said and "must-understand" not in said:
            yield NO_STORE.found(f"{exchange.words()}, Cache-Control: {said}")


CHECK = Check(
    name="never-stored",
    question="Is what no shared cache may keep made anew for each reader?",
    kinds=(NO_STORE, STRIPPED, PRIVATE, TIMED, TOO_LONG),
    trials=_trials,
    look=_look,
)
