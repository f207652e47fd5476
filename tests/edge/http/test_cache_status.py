"""The members of Cache-Status."""

from __future__ import annotations

import pytest

from app.edge.http.cache_status import CacheStatus, ForwardReason

STATUSES = {
    "a hit": (CacheStatus(hit=True, ttl=5.9), "x; hit; ttl=5"),
    "a stale hit": (CacheStatus(hit=True, ttl=-0.1), "x; hit; ttl=-1"),
    "no ttl": (CacheStatus(hit=True), "x; hit"),
    "a ttl of zero": (CacheStatus(hit=True, ttl=0), "x; hit; ttl=0"),
    "a miss": (CacheStatus(fwd=ForwardReason.MISS, stored=True), "x; fwd=miss; stored"),
    "everything": (
        CacheStatus(
            fwd=ForwardReason.STALE, fwd_status=500, ttl=-3, collapsed=True, key="k", detail="d"
        ),
        'x; fwd=stale; fwd-status=500; ttl=-3; collapsed; key="k"; detail=d',
    ),
}


@pytest.mark.parametrize(("status", "value"), STATUSES.values(), ids=STATUSES)
def test_cache_status_lists_what_is_true(status: CacheStatus, value: str) -> None:
    """In the order of RFC 9211; a ttl is rounded down."""
    assert status.to_field_value("x").replace(";", "; ").replace(";  ", "; ") == value
