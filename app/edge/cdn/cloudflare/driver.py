"""Cloudflare: `POST /zones/<zone>/purge_cache`.

| what | how |
|---|---|
| tag header | `Cache-Tag`, case-insensitive, 16 KB of tags |
| by tag | `{"tags": […]}`, 100 a call; Free 5 calls a minute (bucket 25), others 5 to 50 a second |
| by URL | `{"files": […]}`, encoded, 100 a call; 800 URLs a second on Free, others 1500 to 3000 |
| everything | `{"purge_everything": true}`: all sites of the zone |
| soft purge | none: every purge is hard |
| credentials | `Authorization: Bearer <token>`: Zone → Cache Purge (to check: also Zone → Read) |
| second purge | after the longest time that a response takes from origin to edge |

Purging by tag is correct on every plan: a URL with a tracker is a separate object, which a purge of
the plain URL does not reach, but which has the same tag. The bucket of Free is enough for the edits
of an evening; more of them wait some seconds. Purging by URL is quicker on Free, but correct only
if a Cache Rule ignores the query string. The limits apply to the whole account.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import httpx

from ..api_client import REQUEST_TIMEOUT, ApiClient, ApiResponse, Credentials
from ..base import BRIEF, CallLimits, PurgeError, PurgeTarget
from ..page_tags import UNUSED_TAG, unique_tags
from ..validation import absolute_url, require_choice, require_identifier

API = "https://api.cloudflare.com/client/v4"
MAX_BATCH = 100
PURGE_MODES = ("tag", "url")

_ADVICE = "check EDGE_CLOUDFLARE_TOKEN and EDGE_CLOUDFLARE_ZONE"
_TOKEN_CODES = {1000, 6003, 6103, 6111, 9103, 9106, 9107, 9109, 10000, 10001}
_ZONE_CODES = {1049, 7000, 7003}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPlan:
    """Rate limits of a Cloudflare plan: calls by tag, and URLs."""

    calls_per_second: float
    burst: int
    urls_per_second: int

    def limits(self, by: str) -> CallLimits:
        """Return the limits in calls, as the relay counts them."""
        if by == "tag":
            return CallLimits(batch=MAX_BATCH, per_second=self.calls_per_second, burst=self.burst)
        calls = self.urls_per_second // MAX_BATCH
        return CallLimits(batch=MAX_BATCH, per_second=calls, burst=calls, ignored_lifetime=BRIEF)


PLANS: Mapping[str, AccountPlan] = MappingProxyType(
    {
        "free": AccountPlan(calls_per_second=5 / 60, burst=25, urls_per_second=800),
        "pro": AccountPlan(calls_per_second=5, burst=25, urls_per_second=1500),
        "business": AccountPlan(calls_per_second=10, burst=50, urls_per_second=1500),
        "enterprise": AccountPlan(calls_per_second=50, burst=500, urls_per_second=3000),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ZoneSettings:
    """One zone, the site in it, and how it is purged."""

    id: str
    site: str
    plan: str = "free"
    purge_by: str = "tag"


class CloudflareDriver:
    """Purges one zone."""

    def __init__(self, api: ApiClient, zone: ZoneSettings) -> None:
        self._api = api
        self._zone = zone
        self.limits = PLANS[zone.plan].limits(zone.purge_by)
        self.purges_by_url = zone.purge_by == "url"
        self.purges_by_tag = not self.purges_by_url

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages."""
        if not targets:
            return
        if self._zone.purge_by == "tag":
            self._purge({"tags": unique_tags("cloudflare", targets)})
        else:
            # The site of the page comes first: this process may be configured for another site.
            files = dict.fromkeys(absolute_url(t.site or self._zone.site, t.url) for t in targets)
            self._purge({"files": list(files)})

    def purge_everything(self) -> None:
        """Purge all pages of the zone."""
        self._purge({"purge_everything": True})

    def check(self) -> None:
        """Purge a tag that no page carries, and compare the zone's name with the site's."""
        try:
            self._purge({"tags": [UNUSED_TAG]})
        except PurgeError as error:
            raise (self._diagnose_token(error) if error.credentials_rejected else error) from None
        response = self._api.send_json("GET", f"/zones/{self._zone.id}")
        if response.status in {401, 403}:
            return  # the token may purge but not read: nothing more can be checked
        name = str(_result(self._require_success(response)).get("name", ""))
        host = urlsplit(self._zone.site).hostname or ""
        if host != name and not host.endswith(f".{name}"):
            raise self._api.purge_error(
                f"the zone belongs to {self._api.redact(name)}, but the site is at {host}: "
                "check EDGE_CLOUDFLARE_ZONE",
                credentials_rejected=True,
            )

    def _purge(self, payload: Mapping[str, Any]) -> None:
        self._require_success(
            self._api.send_json("POST", f"/zones/{self._zone.id}/purge_cache", payload)
        )

    def _require_success(self, response: ApiResponse) -> dict[str, Any]:
        """Return the JSON of a successful response; raises PurgeError for any other."""
        document = response.json()
        if document is None and response.status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
            document = self._api.require_json(response)
        if document is not None and response.status < 300 and document.get("success") is True:  # noqa: PLR2004 - as above
            return document
        raise self._error_for(response, *_parse_errors(document or {}))

    def _error_for(self, response: ApiResponse, codes: set[int], message: str) -> PurgeError:
        if codes & _ZONE_CODES:
            return self._api.purge_error(
                f"the account has no zone {self._zone.id}: check EDGE_CLOUDFLARE_ZONE",
                credentials_rejected=True,
            )
        if codes & _TOKEN_CODES or response.status in {401, 403}:
            detail = f" ({self._api.redact(message)})" if message else ""
            sentence = f"the credentials were rejected{detail}; {_ADVICE}"
            return self._api.purge_error(sentence, credentials_rejected=True)
        if response.status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
            reason = self._api.redact(message) or "no reason was given"
            return self._api.purge_error(f"the API reports that it did not purge: {reason}")
        return self._api.status_error(response, message)

    def _diagnose_token(self, error: PurgeError) -> PurgeError:
        """Return an error that distinguishes an invalid token from one that lacks a permission."""
        response = self._api.send_json("GET", "/user/tokens/verify")
        if response.status != 200:  # noqa: PLR2004 - the token is invalid, or belongs to an account
            return error
        status = self._api.redact(
            str(_result(self._require_success(response)).get("status", "unknown"))
        )
        if status != "active":
            return self._api.purge_error(
                f"the token is {status}: create a new one and set EDGE_CLOUDFLARE_TOKEN",
                credentials_rejected=True,
            )
        return self._api.purge_error(
            f"the token is valid but may not purge zone {self._zone.id}: "
            "give it Zone → Cache Purge for this zone, or check EDGE_CLOUDFLARE_ZONE",
            credentials_rejected=True,
        )


def _result(document: Mapping[str, Any]) -> Mapping[str, Any]:
    result = document.get("result")
    return result if isinstance(result, dict) else {}


def _parse_errors(document: Mapping[str, Any]) -> tuple[set[int], str]:
    """Return the codes of all errors, and the message of the first."""
    listed = document.get("errors")
    errors = (
        [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    )
    codes = {entry["code"] for entry in errors if isinstance(entry.get("code"), int)}
    return codes, str(errors[0].get("message", "")) if errors else ""


def make_client(
    token: str,
    *,
    api: str = API,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST_TIMEOUT,
) -> ApiClient:
    """Return the API client."""
    return ApiClient(
        "cloudflare",
        api,
        credentials=Credentials(headers={"Authorization": f"Bearer {token}"}, secrets=(token,)),
        client=client,
        timeout=timeout,
    )


def make_driver(
    values: Mapping[str, str], *, site: str, client: httpx.Client | None
) -> CloudflareDriver:
    """Build the driver from its settings."""
    zone = ZoneSettings(
        id=require_identifier(
            values, "EDGE_CLOUDFLARE_ZONE", r"[0-9a-f]{32}", "32 hexadecimal digits"
        ),
        site=site,
        plan=require_choice(values, "EDGE_CLOUDFLARE_PLAN", PLANS),
        purge_by=require_choice(values, "EDGE_CLOUDFLARE_BY", PURGE_MODES),
    )
    return CloudflareDriver(make_client(values["EDGE_CLOUDFLARE_TOKEN"], client=client), zone)
