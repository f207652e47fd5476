"""Host: whether the site is served under its own name alone."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from ..check import Check, CheckContext, Probe
from ..exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

GATEWAY = "broadsheet"
"""What the embedded gateway calls itself in Cache-Status."""

UNCHECKED = FindingType(
    id="host-unchecked",
    level=FindingLevel.WARNING,
    title="The site is served under a host name that is not its own.",
    advice=(
        "List the host names of the site (FLASK_TRUSTED_HOSTS), and configure "
        "the edge to refuse others: each made-up name fills the cache with "
        "another copy of the site."
    ),
)
ANY_NAME = FindingType(
    id="host-ignored",
    level=FindingLevel.NOTE,
    title=("Every host name is answered from the gateway's single copy, even a made-up one."),
    advice=(
        "This makes no further copies. Nevertheless list the host names of the "
        "site (FLASK_TRUSTED_HOSTS) before it is public: its links use only its "
        "own name."
    ),
)
CASE = FindingType(
    id="host-case-splits",
    level=FindingLevel.WARNING,
    title=("The host name in upper case makes another copy of each page, or is never a HIT."),
    advice="Configure the edge to convert Host to lower case before the lookup.",
)


NO_ADDRESS = FindingType(
    id="site-url-missing",
    level=FindingLevel.ERROR,
    title="The site does not know its public address.",
    advice="Set SITE_URL to the address at which readers find the site: search engines and feed "
    "readers follow the one that the pages name.",
)
_CANONICAL = re.compile(
    r"<link\b(?=[^>]*\brel=[\"']?canonical\b)[^>]*\bhref=[\"']([^\"'>]{1,2000})", re.IGNORECASE
)


def _look(seen: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if seen.ours is not None and seen.ours.site_url_problem:
        yield NO_ADDRESS.found(seen.ours.site_url_problem)
    elif not seen.address.is_loopback:
        for visit in seen.visits_of("home"):
            link = _CANONICAL.search(visit.last.text())
            if link and _is_loopback(link[1]):
                yield NO_ADDRESS.found(f"{visit.last.to_text()}: its canonical link is {link[1]}")


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _trials(seen: CheckContext) -> Iterator[Probe]:
    for visit in seen.visits_of("home"):
        foreign = ("Host", f"edge-check-{seen.token}.invalid")
        ask = ProbeRequest(target=visit.page.target, headers=(*BROWSER_HEADERS, foreign))
        yield Probe(requests=(ask,), evaluate=_refused)
        spelt = seen.address.authority.upper()
        if visit.last.is_hit and spelt != seen.address.authority:
            ask = ProbeRequest(
                target=visit.page.target, headers=(*BROWSER_HEADERS, ("Host", spelt))
            )
            yield Probe(requests=(ask,), evaluate=_alike)


def _refused(got: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if 200 <= got[0].status < 300:  # noqa: PLR2004 - success
        kind = ANY_NAME if _by_origin_alone(got[0]) else UNCHECKED
        yield kind.found(got[0].to_text())


def _by_origin_alone(exchange: Exchange) -> bool:
    """Whether the one cache on the way is the embedded gateway, which looks at no name."""
    return exchange.is_hit and {served.cache for served in exchange.cache_results} == {GATEWAY}


def _alike(got: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if not got[0].is_hit:
        yield CASE.found(got[0].to_text())


CHECK = Check(
    name="host",
    question="Is the site served only under its own host name?",
    finding_types=(UNCHECKED, ANY_NAME, CASE, NO_ADDRESS),
    inspect=_look,
    probes=_trials,
)
