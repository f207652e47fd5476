"""What `flask edge check` may expect of this site when it audits the site from outside."""

from __future__ import annotations

from app import private_paths
from app.edge.audit import SiteProfile
from app.middleware.security_headers import ALWAYS, secure_transport
from app.site.policies import TWO_MINUTES

PRIVATE_PATHS = ("/healthz", "/readyz", *private_paths.PREFIXES)
"""Paths that no cache may answer, whether they exist or not."""


def site_profile(
    site_url: str, *, include_subdomains: bool = False, problem: str = ""
) -> SiteProfile:
    """What the audit expects of the site at this URL; `problem` says what is wrong with the URL."""
    return SiteProfile(
        no_store_path="/edge/no-store",
        short_ttl_path="/edge/two-minutes",
        short_ttl_seconds=int(TWO_MINUTES.browser.ttl.total_seconds()),
        cookie_path="/edge/cookie",
        search=("/search", "q"),
        private_paths=PRIVATE_PATHS,
        security_headers=ALWAYS,
        https_headers=(secure_transport(include_subdomains=include_subdomains),),
        own_origins=(site_url,),
        site_url_problem=problem,
    )
