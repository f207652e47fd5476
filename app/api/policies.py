"""The cache policies of the API, by name."""

from __future__ import annotations

from datetime import timedelta

from app.edge import Freshness, Policy

_ASKS = Freshness(must_revalidate=True)
_KEEPS = Freshness(
    ttl=timedelta(days=1),
    stale_while_revalidate=timedelta(minutes=1),
    stale_if_error=timedelta(days=7),
)

API = Policy(name="API", browser=_ASKS, edge=_KEEPS)
API_CHANGES = Policy(
    name="API_CHANGES",
    browser=_ASKS,
    edge=Freshness(ttl=timedelta(minutes=1), stale_if_error=timedelta(minutes=5)),
)
"""The number of instants is unlimited, so lists of changes expire soon."""
DOWNLOAD = Policy(name="DOWNLOAD", browser=_ASKS, edge=_KEEPS)
NOT_FOUND = Policy(
    name="API_NOT_FOUND",
    browser=_ASKS,
    edge=Freshness(ttl=timedelta(minutes=1)),
)
"""The number of unknown URLs is unlimited, so errors expire soon."""
