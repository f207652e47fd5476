"""What `flask edge check` may expect of this site when it audits the site from outside."""

from __future__ import annotations

from app.edge.verify import Ours
from app.middleware.security_headers import ALWAYS, secure_transport
from app.site.policies import TWO_MINUTES

PRIVATE_PATHS = ("/healthz", "/readyz", "/studio")
"""Paths that no cache may answer, whether they exist or not."""


def site_profile(site_url: str, *, include_subdomains: bool = False, problem: str = "") -> Ours:
    """What the audit expects of the site at this URL; `problem` says what is wrong with the URL."""
    return Ours(
        never_stored="/edge/no-store",
        kept="/edge/two-minutes",
        kept_for=int(TWO_MINUTES.browser.ttl.total_seconds()),
        cookie="/edge/cookie",
        search=("/search", "q"),
        private=PRIVATE_PATHS,
        always=ALWAYS,
        over_tls=(secure_transport(include_subdomains=include_subdomains),),
        sites=(site_url,),
        site_url_problem=problem,
    )
