"""A page is purged under the site where it was registered, whatever the site of the relay is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.edge.cdn import Driver, PurgeTarget
from app.edge.cdn.api_client import Credentials
from app.edge.cdn.cloudflare.driver import CloudflareDriver, ZoneSettings
from app.edge.cdn.cloudflare.driver import make_client as cloudflare_channel
from app.edge.cdn.generic import GenericDriver, GenericPurgeOptions
from app.edge.cdn.generic import make_client as generic_channel

from ..cdn.driver_stages import SITE, by_bunny, by_cloudfront
from ..cdn.fakes import cloudflare, purge_cache
from ..cdn.fakes.bunny import Bunny
from ..cdn.fakes.cloudflare import Cloudflare
from ..cdn.fakes.cloudfront import CloudFront
from ..cdn.fakes.purge_cache import PurgingCache
from ..cdn.fakes.server import FakeEdge

PAGE = PurgeTarget(url="/a", tag="p-a", site=SITE)
ELSEWHERE = "http://127.0.0.1:8000"


def by_url_at_cloudflare(edge: FakeEdge) -> Driver:
    """A driver of a relay that was started without SITE_URL."""
    way = cloudflare_channel(cloudflare.TOKEN, api=f"{edge.url}/client/v4")
    return CloudflareDriver(way, ZoneSettings(id=cloudflare.ZONE, site=ELSEWHERE, purge_by="url"))


def by_purge(edge: FakeEdge) -> Driver:
    """The same of a cache that takes PURGE; one of another Host counts as not kept."""
    keys = Credentials(
        headers={"X-Purge-Secret": purge_cache.SECRET}, secrets=(purge_cache.SECRET,)
    )
    return GenericDriver(generic_channel(edge.url, keys), GenericPurgeOptions(site=ELSEWHERE))


@pytest.mark.parametrize(
    ("kind", "driver"),
    [
        (Cloudflare, by_url_at_cloudflare),
        (PurgingCache, by_purge),
        (CloudFront, by_cloudfront),
        (Bunny, by_bunny),
    ],
    ids=["cloudflare by url", "generic", "cloudfront by path", "bunny by tag"],
)
def test_the_edge_forgets_the_page_that_it_keeps(
    kind: Callable[[], FakeEdge], driver: Callable[[FakeEdge], Driver]
) -> None:
    """The entry of the outbox says where the page was registered."""
    with kind() as edge:
        edge.begin()
        edge.store(PAGE)
        driver(edge).purge([PAGE])
        assert not edge.keeps(PAGE)
