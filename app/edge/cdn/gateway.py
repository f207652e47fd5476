"""The embedded gateway as an edge like any other: the first, and the nearest to the pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Protocol

from .base import CallLimits, PurgeError, PurgeTarget
from .validation import require_absolute_url

Sites = Callable[[], tuple[str, ...] | None]
"""Returns the sites whose pages a gateway's store holds; None when they can't be listed."""


class PurgeableGateway(Protocol):
    """What a gateway offers to be purged by."""

    def purge(self, url: str) -> int:
        """Forget every variant of a URL; return how many there were.

        The URL is absolute, or a path of the site that the gateway speaks for in this process.
        """

    def purge_all(self) -> int:
        """Forget everything; return how many responses there were."""


class GatewayDriver:
    """Purges a gateway of this machine.

    A page is purged under the site where it was registered and under every site of `sites`: the
    store is shared by processes whose settings may differ from ours, and each keeps pages under
    keys of its own site.

    After a store failure the next call purges everything, because lost purges are not recorded.
    """

    # Short, for whoever dies with a claim leaves old pages to be served until it ends.
    limits = CallLimits(batch=500, timeout=timedelta(seconds=2), claim_margin=timedelta(0))

    def __init__(self, gateway: PurgeableGateway, sites: Sites = tuple) -> None:
        self._gateway = gateway
        self._sites = sites
        self._failed = False

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Forget these pages."""
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
        """Forget all pages."""
        self._call_store(self._gateway.purge_all)

    def _call_store(self, call: Callable[[], object]) -> None:
        try:
            call()
        except Exception as error:  # whatever the store raises, old pages may be left
            self._failed = True
            raise PurgeError(f"the gateway's store failed: {error}") from error
        self._failed = False
