"""A stage for each driver: the driver, and the fake that it purges over a real socket."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from app.edge.cdn import Driver, PurgeTarget
from app.edge.cdn.api_client import Credentials
from app.edge.cdn.bunny.driver import BunnyDriver
from app.edge.cdn.bunny.driver import make_client as bunny_client
from app.edge.cdn.cloudflare.driver import CloudflareDriver, ZoneSettings
from app.edge.cdn.cloudflare.driver import make_client as cloudflare_client
from app.edge.cdn.cloudfront.driver import CloudFrontDriver, DistributionSettings
from app.edge.cdn.cloudfront.driver import make_client as cloudfront_client
from app.edge.cdn.cloudfront.sigv4 import AwsSigner
from app.edge.cdn.fastly.driver import FastlyDriver
from app.edge.cdn.fastly.driver import make_client as fastly_client
from app.edge.cdn.generic import GenericDriver, GenericPurgeOptions
from app.edge.cdn.generic import make_client as generic_client
from app.edge.cdn.varnish.driver import VarnishDriver
from app.edge.cdn.varnish.driver import make_client as varnish_client
from app.edge.testing import Ending

from .fakes import bunny, cloudflare, cloudfront, fastly, purge_cache, varnish
from .fakes.server import FakeEdge

SITE = "https://www.example.org"
LONG, SHORT = timedelta(seconds=10), timedelta(seconds=0.5)
"""The timeout of a driver, and the short one for a response that will not arrive."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A driver and its fake; `hasty` is the same driver with a short timeout."""

    patient: Driver
    hasty: Driver
    edge: FakeEdge
    secrets: tuple[str, ...]

    @property
    def driver(self) -> Driver:
        """The driver with the timeout that fits the next ending."""
        return self.hasty if any(fault.how for fault in self.edge.faults) else self.patient

    def store(self, target: PurgeTarget) -> None:
        """Store a page at the fake."""
        self.edge.store(target)

    def keeps(self, target: PurgeTarget) -> bool:
        """Return whether the fake would serve the page."""
        return self.edge.keeps(target)

    def ends(self, ending: Ending) -> None:
        """Set how the fake ends its next call."""
        self.edge.ends(ending)


def by_cloudflare(
    edge: FakeEdge, *, by: str = "tag", token: str = cloudflare.TOKEN, timeout: timedelta = LONG
) -> CloudflareDriver:
    """A driver of the fake's zone."""
    api = cloudflare_client(token, api=f"{edge.url}/client/v4", timeout=timeout)
    return CloudflareDriver(api, ZoneSettings(id=cloudflare.ZONE, site=SITE, purge_by=by))


def by_fastly(
    edge: FakeEdge, *, token: str = fastly.TOKEN, timeout: timedelta = LONG
) -> FastlyDriver:
    """A driver of the fake's service."""
    return FastlyDriver(fastly_client(token, api=edge.url, timeout=timeout), fastly.SERVICE)


def by_bunny(edge: FakeEdge, *, zone: str = bunny.ZONE, timeout: timedelta = LONG) -> BunnyDriver:
    """A driver of the fake's pull zone."""
    return BunnyDriver(bunny_client(bunny.KEY, api=edge.url, timeout=timeout), zone, site=SITE)


def by_cloudfront(
    edge: FakeEdge,
    *,
    by: str = "path",
    secret: str = cloudfront.SECRET,
    session: str = "",
    clock: Callable[[], datetime] | None = None,
    timeout: timedelta = LONG,
) -> CloudFrontDriver:
    """A driver of the fake's distribution, on the fake's clock."""
    signer = AwsSigner(
        key=cloudfront.KEY,
        secret=secret,
        session=session,
        region="us-east-1",
        service="cloudfront",
    )
    api = cloudfront_client((secret, session), api=edge.url, timeout=timeout)
    distribution = DistributionSettings(id=cloudfront.DISTRIBUTION, site=SITE, purge_by=by)
    return CloudFrontDriver(api, signer, distribution, clock=clock or edge.clock)


def by_varnish(
    *edges: FakeEdge, secret: str = varnish.SECRET, timeout: timedelta = LONG
) -> VarnishDriver:
    """A driver of these nodes."""
    return VarnishDriver([varnish_client(edge.url, secret, timeout=timeout) for edge in edges])


def by_purge(edge: FakeEdge, *, everything: str = "/*", timeout: timedelta = LONG) -> GenericDriver:
    """A driver of the fake cache."""
    credentials = Credentials(
        headers={"X-Purge-Secret": purge_cache.SECRET}, secrets=(purge_cache.SECRET,)
    )
    api = generic_client(edge.url, credentials, timeout=timeout)
    return GenericDriver(api, GenericPurgeOptions(site=SITE, purge_all_path=everything))


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverCase:
    """A fake edge, a driver for it, and the driver's secrets."""

    edge: type[FakeEdge]
    driver: Callable[..., Driver]
    secrets: tuple[str, ...]

    def stage(self, edge: FakeEdge) -> Stage:
        """Reset the fake and return the stage of its driver."""
        edge.begin()
        return Stage(
            patient=self.driver(edge),
            hasty=self.driver(edge, timeout=SHORT),
            edge=edge,
            secrets=self.secrets,
        )


DRIVER_CASES: Mapping[str, DriverCase] = {
    "cloudflare": DriverCase(
        edge=cloudflare.Cloudflare, driver=by_cloudflare, secrets=(cloudflare.TOKEN,)
    ),
    "cloudflare-url": DriverCase(
        edge=cloudflare.Cloudflare,
        driver=partial(by_cloudflare, by="url"),
        secrets=(cloudflare.TOKEN,),
    ),
    "fastly": DriverCase(edge=fastly.Fastly, driver=by_fastly, secrets=(fastly.TOKEN,)),
    "cloudfront": DriverCase(
        edge=cloudfront.CloudFront, driver=by_cloudfront, secrets=(cloudfront.SECRET,)
    ),
    "cloudfront-tag": DriverCase(
        edge=cloudfront.CloudFront,
        driver=partial(by_cloudfront, by="tag"),
        secrets=(cloudfront.SECRET,),
    ),
    "bunny": DriverCase(edge=bunny.Bunny, driver=by_bunny, secrets=(bunny.KEY,)),
    "varnish": DriverCase(edge=varnish.VarnishNode, driver=by_varnish, secrets=(varnish.SECRET,)),
    "generic": DriverCase(
        edge=purge_cache.PurgingCache, driver=by_purge, secrets=(purge_cache.SECRET,)
    ),
}
"""Every driver that uses HTTP, in each of its modes."""
