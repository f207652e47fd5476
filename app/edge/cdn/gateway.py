"""The driver of the embedded gateway, the edge that is nearest to the origin."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from .base import CallLimits, PurgeError, PurgeTarget
from .validation import require_absolute_url

Sites = Callable[[], tuple[str, ...] | None]
"""Returns the sites whose pages a gateway's store holds; None when they can't be listed."""


class PurgeableGateway(Protocol):
    """The purge methods of a gateway."""

    def purge(self, url: str) -> int:
        """Purge every variant of a URL; return how many there were.

        The URL is absolute, or a path of the site for which this process is configured.
        """

    def purge_all(self) -> int:
        """Purge everything; return how many responses there were."""


class GatewayDriver:
    """Purges the gateway of this machine.

    A page is purged under the site where it was registered and under every site of `sites`: other
    processes share the store, may be configured for another site, and store pages under keys of
    that site.

    After a store failure the next call purges everything, because lost purges are not recorded.
    """

    # Short, because stale pages are served until the claim of a crashed process expires.
    limits = CallLimits(batch=500, timeout=timedelta(seconds=2), claim_margin=timedelta(0))

    def __init__(self, gateway: PurgeableGateway, sites: Sites = tuple) -> None:
        self._gateway = gateway
        self._sites = sites
        self._failed = False

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages."""
        self._call_store(self._gateway.purge_all if self._failed else lambda: self._purge(targets))

    def _purge(self, targets: Sequence[PurgeTarget]) -> None:
        sites = self._sites()
        if sites is None:
            self._gateway.purge_all()
            return
        for target in targets:
            all_sites = {target.site, *sites} - {""}
            urls = {require_absolute_url(site, target.url) for site in all_sites}
            for url in urls or {target.url}:
                self._gateway.purge(url)

    def purge_everything(self) -> None:
        """Purge all pages."""
        self._call_store(self._gateway.purge_all)

    def _call_store(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # after any error of the store, old pages may remain
            self._failed = True
            raise PurgeError(f"the gateway's store failed: {error}") from error
        self._failed = False
