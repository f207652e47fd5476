"""Keys: what makes another copy of a page, and what must not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from http import HTTPStatus

from ..check import Check, Seen, Trial, Visit
from ..discovery import searching
from ..exchange import BROWSER, Ask, Exchange
from ..findings import Finding, Kind, Level

IGNORED = Kind(
    id="query-ignored",
    level=Level.ERROR,
    title="The edge ignores the query where it matters: two searches get one answer.",
    advice="Keep the query in the key of pages that read it (search); strip trackers by name "
    "instead of ignoring all of it.",
)
SPLITS = Kind(
    id="query-splits",
    level=Level.WARNING,
    title="A query parameter that no page reads makes a copy of its own.",
    advice="Anybody can empty the cache by making up parameters: redirect to the URL without them, "
    "or leave them out of the key.",
)
TRACKERS = Kind(
    id="tracker-splits",
    level=Level.WARNING,
    title="A link with a tracker (utm_source, fbclid) misses the cache.",
    advice="Leave trackers out of the key: shared links and newsletters are what fells an origin.",
)
ENCODING = Kind(
    id="encoding-splits",
    level=Level.WARNING,
    title="An unusual Accept-Encoding makes a copy of its own.",
    advice="Let the edge reduce Accept-Encoding to br, gzip or nothing before it looks into its "
    "store.",
)


def _trials(seen: Seen) -> Iterator[Trial]:
    if seen.search is not None:
        words = (f"edge-check-{seen.token}-one", f"edge-check-{seen.token}-two")
        asks = tuple(Ask(target=searching(seen.search, word)) for word in words)
        yield Trial(asks=asks, judge=_told_apart)
    for visit in seen.of("article", "home")[:1]:
        if visit.last.hit:
            yield from _splitting(visit, seen.token)


def _splitting(visit: Visit, token: str) -> Iterator[Trial]:
    target = visit.page.target
    if "?" not in target:
        unknown = Ask(target=f"{target}?edge-check-{token}=1")
        yield Trial(asks=(unknown,), judge=lambda got: _same_copy(got, SPLITS))
        tracked = Ask(target=f"{target}?utm_source=edge-check-{token}&fbclid={token}")
        yield Trial(asks=(tracked,), judge=lambda got: _same_copy(got, TRACKERS))
    odd = (("Accept-Encoding", f"{BROWSER[0][1]}, x-edge-check-{token}"),)
    yield Trial(
        asks=(Ask(target=target, headers=odd),), judge=lambda got: _same_copy(got, ENCODING)
    )


def _same_copy(got: Sequence[Exchange], kind: Kind) -> Iterator[Finding]:
    """A redirect is no copy of the page; a page that was fetched anew is one."""
    if got[0].status == HTTPStatus.OK and not got[0].hit:
        yield kind.found(got[0].words())


def _told_apart(got: Sequence[Exchange]) -> Iterator[Finding]:
    one, other = got
    if {one.status, other.status} != {HTTPStatus.OK} or not other.any_hit:
        return
    if one.content() == other.content():
        yield IGNORED.found(f"{one.words()}; {other.words()}: the same bytes")


CHECK = Check(
    name="keys",
    question="Does everything that matters, and nothing else, make another copy of a page?",
    kinds=(IGNORED, SPLITS, TRACKERS, ENCODING),
    trials=_trials,
)
