"""Host: whether the site is served under its own name alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from ..check import Check, Seen, Trial
from ..exchange import BROWSER, Ask, Exchange
from ..finding import Finding, Kind, Level

GATEWAY = "broadsheet"
"""What the embedded gateway calls itself in Cache-Status."""

UNCHECKED = Kind(
    id="host-unchecked",
    level=Level.WARNING,
    title="The site is served under a name that is not its own.",
    advice="Name the hosts that are answered (FLASK_TRUSTED_HOSTS), and let the edge refuse "
    "others: each made-up name fills the cache with another copy of the site.",
)
ANY_NAME = Kind(
    id="host-ignored",
    level=Level.NOTE,
    title="Every name is answered from the gateway's one copy, a made-up one too.",
    advice="No cache grows by it. Name the hosts that are answered all the same "
    "(FLASK_TRUSTED_HOSTS) before the site is public: its links lead to its own name only.",
)
CASE = Kind(
    id="host-case-splits",
    level=Level.WARNING,
    title="The site's name in capitals makes another copy of each page, or none at all.",
    advice="Let the edge put Host in lower case before it looks into its store.",
)


NO_ADDRESS = Kind(
    id="site-url-missing",
    level=Level.ERROR,
    title="The site does not know its own address.",
    advice="Set SITE_URL to the address at which readers find the site: search engines and feed "
    "readers follow the one that the pages name.",
)
_CANONICAL = re.compile(
    r"<link\b(?=[^>]*\brel=[\"']?canonical\b)[^>]*\bhref=[\"']([^\"'>]{1,2000})", re.IGNORECASE
)


def _look(seen: Seen, _: Sequence[Exchange]) -> Iterator[Finding]:
    if seen.ours is not None and seen.ours.site_url_problem:
        yield NO_ADDRESS.found(seen.ours.site_url_problem)
    elif not seen.address.is_loopback:
        for visit in seen.of("home"):
            link = _CANONICAL.search(visit.last.text())
            if link and _is_loopback(link[1]):
                yield NO_ADDRESS.found(f"{visit.last.words()}: its canonical link is {link[1]}")


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _trials(seen: Seen) -> Iterator[Trial]:
    for visit in seen.of("home"):
        foreign = ("Host", f"edge-check-{seen.token}.invalid")
        ask = Ask(target=visit.page.target, headers=(*BROWSER, foreign))
        yield Trial(asks=(ask,), judge=_refused)
        spelt = seen.address.authority.upper()
        if visit.last.hit and spelt != seen.address.authority:
            ask = Ask(target=visit.page.target, headers=(*BROWSER, ("Host", spelt)))
            yield Trial(asks=(ask,), judge=_alike)


def _refused(got: Sequence[Exchange]) -> Iterator[Finding]:
    if 200 <= got[0].status < 300:  # noqa: PLR2004 - success
        kind = ANY_NAME if _by_origin_alone(got[0]) else UNCHECKED
        yield kind.found(got[0].words())


def _by_origin_alone(exchange: Exchange) -> bool:
    """Whether the one cache on the way is the embedded gateway, which looks at no name."""
    return exchange.hit and {served.cache for served in exchange.served} == {GATEWAY}


def _alike(got: Sequence[Exchange]) -> Iterator[Finding]:
    if not got[0].hit:
        yield CASE.found(got[0].words())


CHECK = Check(
    name="host",
    question="Is the site served under its own name alone?",
    kinds=(UNCHECKED, ANY_NAME, CASE, NO_ADDRESS),
    look=_look,
    trials=_trials,
)
