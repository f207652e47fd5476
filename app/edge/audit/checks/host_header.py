"""Check that the site is served only under its own host name."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from ...name import NAME
from ..check import Check, CheckContext, Probe
from ..exchange import BROWSER_HEADERS, Exchange, ProbeRequest
from ..findings import AuditFinding, FindingLevel, FindingType

GATEWAY = NAME
"""Name of the embedded gateway in Cache-Status."""

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


def _inspect(context: CheckContext, _: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if context.profile is not None and context.profile.site_url_problem:
        yield NO_ADDRESS.with_evidence(context.profile.site_url_problem)
    elif not context.address.is_loopback:
        for visit in context.visits_of("home"):
            link = _CANONICAL.search(visit.last.text())
            if link and _is_loopback(link[1]):
                yield NO_ADDRESS.with_evidence(
                    f"{visit.last.to_text()}: its canonical link is {link[1]}"
                )


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _probes(context: CheckContext) -> Iterator[Probe]:
    for visit in context.visits_of("home"):
        foreign = ("Host", f"edge-check-{context.token}.invalid")
        request = ProbeRequest(target=visit.page.target, headers=(*BROWSER_HEADERS, foreign))
        yield Probe(requests=(request,), evaluate=_expect_refusal)
        uppercase_host = context.address.authority.upper()
        if visit.last.is_hit and uppercase_host != context.address.authority:
            request = ProbeRequest(
                target=visit.page.target, headers=(*BROWSER_HEADERS, ("Host", uppercase_host))
            )
            yield Probe(requests=(request,), evaluate=_expect_hit)


def _expect_refusal(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if 200 <= exchanges[0].status < 300:  # noqa: PLR2004 - success
        kind = ANY_NAME if _is_hit_of_gateway_only(exchanges[0]) else UNCHECKED
        yield kind.with_evidence(exchanges[0].to_text())


def _is_hit_of_gateway_only(exchange: Exchange) -> bool:
    """Return whether the only cache is the embedded gateway, whose key contains no host name."""
    return exchange.is_hit and {served.cache for served in exchange.cache_results} == {GATEWAY}


def _expect_hit(exchanges: Sequence[Exchange]) -> Iterator[AuditFinding]:
    if not exchanges[0].is_hit:
        yield CASE.with_evidence(exchanges[0].to_text())


CHECK = Check(
    name="host",
    question="Is the site served only under its own host name?",
    finding_types=(UNCHECKED, ANY_NAME, CASE, NO_ADDRESS),
    inspect=_inspect,
    probes=_probes,
)
