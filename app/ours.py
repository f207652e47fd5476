"""What the site promises to whoever audits it from outside: an edge is held to it."""

from __future__ import annotations

from .edge.verify import Ours
from .security import ALWAYS, SECURE_TRANSPORT
from .site.policies import TWO_MINUTES

NEVER_SHARED = ("/healthz", "/readyz", "/studio")
"""What no cache may ever answer by itself, there or not."""


def ours(site_url: str, *, problem: str = "") -> Ours:
    """The promises of the site at this URL; `problem` says what is wrong with the URL."""
    return Ours(
        never_stored="/edge/no-store",
        kept="/edge/two-minutes",
        kept_for=int(TWO_MINUTES.browser.ttl.total_seconds()),
        cookie="/edge/cookie",
        search=("/search", "q"),
        private=NEVER_SHARED,
        always=ALWAYS,
        over_tls=(SECURE_TRANSPORT,),
        sites=(site_url,),
        site_url_problem=problem,
    )
