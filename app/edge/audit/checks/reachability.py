"""Reach: whether the audit could see what it wanted to see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..check import Check, Seen
from ..exchange import Exchange
from ..findings import Finding, Kind, Level

LOOPBACK = Kind(
    id="loopback",
    level=Level.NOTE,
    title="This is the machine itself: no CDN is on the way.",
    advice="Check the public address as well, from somewhere else.",
)
PLAIN = Kind(
    id="plain-http",
    level=Level.NOTE,
    title="The site is checked over plain HTTP.",
    advice="Check https as readers use it; edges often treat the two differently.",
)
NOT_OURS = Kind(
    id="not-ours",
    level=Level.NOTE,
    title="This is not a site of this app, or an older one: it is checked as far as headers tell.",
    advice="If it should be, compare the versions, and look whether the edge serves another "
    "origin.",
)
SILENT = Kind(
    id="no-answer",
    level=Level.ERROR,
    title="A request got no answer.",
    advice="Look at the logs of the edge and of the origin for this address.",
)
UNFINISHED = Kind(
    id="unfinished",
    level=Level.WARNING,
    title="The audit ran out of time or of requests before its end.",
    advice="The site is slow: run it again, with a larger --timeout where that is wanted.",
)
FAILED = Kind(
    id="page-fails",
    level=Level.ERROR,
    title="A page that the site itself links to does not answer with 200.",
    advice="Look at it in a browser, and at the origin's log.",
)
ENDLESS = Kind(
    id="body-cut",
    level=Level.WARNING,
    title="A body has no end, or is too large to be looked at whole.",
    advice="A cache can't keep what never ends: look at what this address sends.",
)


def _look(seen: Seen, _: Sequence[Exchange]) -> Iterator[Finding]:
    if seen.address.is_loopback:
        yield LOOPBACK.found(seen.address.url)
    elif not seen.address.secure:
        yield PLAIN.found(seen.address.url)
    for visit in seen.visits:
        if visit.last.status != 200 and visit.page.kind != "sitemap":  # noqa: PLR2004 - OK
            yield FAILED.found(f"the {visit.page.kind}, {visit.last.words()}")
        if visit.last.cut and visit.page.kind not in {"sitemap", "media"}:
            yield ENDLESS.found(f"the {visit.page.kind}, {visit.last.words()}")


CHECK = Check(
    name="reach",
    question="Could everything be seen?",
    kinds=(LOOPBACK, PLAIN, NOT_OURS, SILENT, UNFINISHED, FAILED, ENDLESS),
    look=_look,
)
