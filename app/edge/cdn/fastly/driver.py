"""Fastly: `POST /service/<service>/purge` with a batch of keys.

| what | how |
|---|---|
| tag header | `Surrogate-Key`, separated by spaces, 16 KB of keys |
| by key | `{"surrogate_keys": […]}`, 256 a call |
| soft purge | `Fastly-Soft-Purge: 1`: the old page may be served while the origin fails |
| hard purge | without that field: the old page is never served again |
| everything | `POST /service/<service>/purge_all`; never soft |
| credentials | `Fastly-Key: <token>` with the scopes purge_select and purge_all |
| rate | not documented for batches; we send at most ten calls a second |
| second purge | two seconds later or more: shield and edge may be purged in the wrong order |

Pages are purged by key, because a purge by URL misses variants and other URLs of a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import httpx

from ..api_client import REQUEST_TIMEOUT, ApiClient, ApiResponse, Credentials
from ..base import CallLimits, PurgeError, PurgeTarget
from ..page_tags import unique_tags
from ..validation import require_identifier

API = "https://api.fastly.com"
BATCH = 256
REQUIRED_SCOPES = frozenset({"purge_select", "purge_all"})

_ADVICE = "check EDGE_FASTLY_TOKEN"


class FastlyDriver:
    """Purges one service."""

    # A batch with soft and hard purges takes two requests.
    limits = CallLimits(batch=BATCH, per_second=10, burst=50, timeout=2 * REQUEST_TIMEOUT)
    purges_by_tag = True

    def __init__(self, api: ApiClient, service: str) -> None:
        self._api = api
        self._service = service

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages, softly unless `hard_purge` is set."""
        self._purge([target for target in targets if target.hard_purge], soft=False)
        self._purge([target for target in targets if not target.hard_purge], soft=True)

    def purge_everything(self) -> None:
        """Purge all pages of the service (hard)."""
        response = self._api.send_json("POST", f"/service/{self._service}/purge_all")
        self._raise_for_status(response)
        status = self._api.require_json(response).get("status")
        if status != "ok":
            detail = self._api.redact(str(status))
            raise self._api.purge_error(f"the API reports that it did not purge: {detail}")

    def check(self) -> None:
        """Read the scopes and services of the token."""
        response = self._api.send_json("GET", "/tokens/self")
        self._raise_for_status(response)
        token_info = self._api.require_json(response)
        scopes = set(str(token_info.get("scope", "")).split())
        if "global" not in scopes and not scopes >= REQUIRED_SCOPES:
            lacking = " and ".join(sorted(REQUIRED_SCOPES - scopes))
            raise self._api.purge_error(
                f"the token lacks the scope {lacking}: create one that has it",
                credentials_rejected=True,
            )
        services = token_info.get("services")
        if isinstance(services, list) and services and self._service not in services:
            raise self._unknown_service_error()

    def _purge(self, targets: Sequence[PurgeTarget], *, soft: bool) -> None:
        if not targets:
            return
        headers = {"Fastly-Soft-Purge": "1"} if soft else {}
        payload = {"surrogate_keys": unique_tags("fastly", targets)}
        path = f"/service/{self._service}/purge"
        response = self._api.send_json("POST", path, payload, headers=headers)
        self._raise_for_status(response)
        self._api.require_json(response)

    def _raise_for_status(self, response: ApiResponse) -> None:
        if response.status == 404:  # noqa: PLR2004 - RFC 9110 section 15.5.5
            raise self._unknown_service_error()
        if response.status >= 400:  # noqa: PLR2004 - RFC 9110 section 15.5
            raise self._api.status_error(response, response.text_field("msg"), hint=_ADVICE)

    def _unknown_service_error(self) -> PurgeError:
        return self._api.purge_error(
            f"the token is not valid for a service {self._service}: "
            "check EDGE_FASTLY_SERVICE and EDGE_FASTLY_TOKEN",
            credentials_rejected=True,
        )


def make_client(
    token: str,
    *,
    api: str = API,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST_TIMEOUT,
) -> ApiClient:
    """Return the API client."""
    return ApiClient(
        "fastly",
        api,
        credentials=Credentials(headers={"Fastly-Key": token}, secrets=(token,)),
        client=client,
        timeout=timeout,
    )


def make_driver(
    values: Mapping[str, str], *, site: str, client: httpx.Client | None
) -> FastlyDriver:
    """Build the driver from its settings."""
    del site  # a key does not depend on the host name
    service = require_identifier(
        values, "EDGE_FASTLY_SERVICE", r"[0-9A-Za-z]{1,64}", "letters and digits"
    )
    return FastlyDriver(make_client(values["EDGE_FASTLY_TOKEN"], client=client), service)
