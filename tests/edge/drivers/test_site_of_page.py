"""A page is purged under the site where it was registered, whatever the site of the relay is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from app.edge.drivers import Driver, Target
from app.edge.drivers.cloudflare import CloudflareDriver, Zone
from app.edge.drivers.cloudflare import channel as cloudflare_channel
from app.edge.drivers.generic import GenericDriver, Manner
from app.edge.drivers.generic import channel as generic_channel

from .fakes import cloudflare, purging
from .fakes.bunny import Bunny
from .fakes.cloudflare import Cloudflare
from .fakes.cloudfront import CloudFront
from .fakes.purging import PurgingCache
from .fakes.server import Edge
from .stages import SITE, Credentials, by_bunny, by_cloudfront

PAGE = Target(url="/a", tag="p-a", site=SITE)
ELSEWHERE = "http://127.0.0.1:8000"


def by_url_at_cloudflare(edge: Edge) -> Driver:
    """A driver of a relay that was started without SITE_URL."""
    way = cloudflare_channel(cloudflare.TOKEN, api=f"{edge.url}/client/v4")
    return CloudflareDriver(way, Zone(id=cloudflare.ZONE, site=ELSEWHERE, by="url"))


def by_purge(edge: Edge) -> Driver:
    """The same of a cache that takes PURGE; one of another Host counts as not kept."""
    keys = Credentials(headers={"X-Purge-Secret": purging.SECRET}, secrets=(purging.SECRET,))
    return GenericDriver(generic_channel(edge.url, keys), Manner(site=ELSEWHERE))


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
    kind: Callable[[], Edge], driver: Callable[[Edge], Driver]
) -> None:
    """The entry of the outbox says where the page was registered."""
    with kind() as edge:
        edge.begin()
        edge.store(PAGE)
        driver(edge).purge([PAGE])
        assert not edge.keeps(PAGE)
