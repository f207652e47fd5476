"""bunny.net: `POST /pullzone/<zone>/purgeCache`.

| what | how |
|---|---|
| tag header | `CDN-Tag`, separated by commas, 1024 bytes of tags |
| by tag | `{"CacheTag": "<tag>"}`, one a call |
| everything | the same without a body: all of the pull zone |
| soft purge | none: every purge is hard |
| credentials | `AccessKey: <key>` |
| rate | 120 calls at once, then 5 a second |
| second purge | after the longest time that a response takes from origin to edge |

Pages are purged by tag, because purging a URL that ends in a slash purges all URLs below it, at a
tenth of the rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..api_client import REQUEST_TIMEOUT, ApiClient, ApiResponse, Credentials
from ..base import BRIEF, CallLimits, PurgeError, PurgeTarget
from ..page_tags import unique_tags
from ..validation import require_identifier

API = "https://api.bunny.net"


class BunnyDriver:
    """Purges one pull zone."""

    limits = CallLimits(batch=1, per_second=5, burst=120, ignored_lifetime=BRIEF)
    purges_by_tag = True

    def __init__(self, api: ApiClient, zone: str, *, site: str) -> None:
        self._api = api
        self._zone = zone
        self._site = site

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge this page."""
        for tag in unique_tags("bunny", targets):
            self._purge({"CacheTag": tag})

    def purge_everything(self) -> None:
        """Purge all pages of the pull zone."""
        self._purge(None)

    def check(self) -> None:
        """Read the pull zone: it must exist and serve the site."""
        response = self._api.send_json("GET", f"/pullzone/{self._zone}")
        self._raise_for_status(response)
        names = list(_hostnames(self._api.require_json(response)))
        host = urlsplit(self._site).hostname
        if names and host not in names:
            host_names = self._api.redact(", ".join(names))
            raise self._api.purge_error(
                f"the pull zone {self._zone} serves {host_names}, and the site is at {host}: "
                "check EDGE_BUNNY_ZONE",
                credentials_rejected=True,
            )

    def _purge(self, payload: Mapping[str, Any] | None) -> None:
        response = self._api.send_json("POST", f"/pullzone/{self._zone}/purgeCache", payload)
        self._raise_for_status(response)
        if response.is_html:
            self._api.require_json(response)  # raises the error

    def _raise_for_status(self, response: ApiResponse) -> None:
        if response.status == 404:  # noqa: PLR2004 - RFC 9110 section 15.5.5
            raise self._unknown_zone_error()
        if response.status >= 400:  # noqa: PLR2004 - RFC 9110 section 15.5
            raise self._api.status_error(
                response, response.text_field("Message"), hint="check EDGE_BUNNY_KEY"
            )

    def _unknown_zone_error(self) -> PurgeError:
        return self._api.purge_error(
            f"the account has no pull zone {self._zone}: check EDGE_BUNNY_ZONE",
            credentials_rejected=True,
        )


def _hostnames(zone: Mapping[str, Any]) -> Iterator[str]:
    listed = zone.get("Hostnames")
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and entry.get("Value"):
            yield str(entry["Value"]).lower()


def make_client(
    key: str,
    *,
    api: str = API,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST_TIMEOUT,
) -> ApiClient:
    """Return the API client."""
    return ApiClient(
        "bunny",
        api,
        credentials=Credentials(headers={"AccessKey": key}, secrets=(key,)),
        client=client,
        timeout=timeout,
    )


def make_driver(
    values: Mapping[str, str], *, site: str, client: httpx.Client | None
) -> BunnyDriver:
    """Build the driver from its settings."""
    zone = require_identifier(values, "EDGE_BUNNY_ZONE", r"[0-9]{1,18}", "a number")
    return BunnyDriver(make_client(values["EDGE_BUNNY_KEY"], client=client), zone, site=site)
