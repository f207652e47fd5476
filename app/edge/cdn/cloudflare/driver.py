"""Cloudflare: `POST /zones/<zone>/purge_cache`.

| what | how |
|---|---|
| pages carry | `Cache-Tag`, case-insensitive, 16 KB of tags |
| by tag | `{"tags": […]}`, 100 a call; Free 5 calls a minute (bucket 25), others 5 to 50 a second |
| by URL | `{"files": […]}`, encoded, 100 a call; 800 URLs a second on Free, others 1500 to 3000 |
| everything | `{"purge_everything": true}`: all sites of the zone |
| soft purge | none: what is purged is gone |
| who may | `Authorization: Bearer <token>`: Zone → Cache Purge (to be checked, also Zone → Read) |
| second purge | after the longest time that a response takes from origin to edge |

By tag is right on every plan: a URL with a tracker behind it is an object of its own, which a purge
of the plain URL leaves, and which carries the same tag. The bucket of Free holds an evening's
edits; more of them wait some seconds. By URL is quicker there, and right only where a Cache Rule
ignores the query string. The limits count for the whole account.
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
    """How many calls by tag, and how many URLs, an account of this plan may send."""

    calls_per_second: float
    burst: int
    urls_per_second: int

    def limits(self, by: str) -> CallLimits:
        """The same as the relay counts it: in calls."""
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
        """Forget these pages."""
        if not targets:
            return
        if self._zone.purge_by == "tag":
            self._purge({"tags": unique_tags("cloudflare", targets)})
        else:
            # The site of the page comes first: ours may be another one than readers know.
            files = dict.fromkeys(absolute_url(t.site or self._zone.site, t.url) for t in targets)
            self._purge({"files": list(files)})

    def purge_everything(self) -> None:
        """Forget all pages of the zone."""
        self._purge({"purge_everything": True})

    def check(self) -> None:
        """Purge a tag that no page carries, and compare the zone's name with the site's."""
        try:
            self._purge({"tags": [UNUSED_TAG]})
        except PurgeError as error:
            raise (self._diagnose_token(error) if error.credentials_rejected else error) from None
        response = self._api.send_json("GET", f"/zones/{self._zone.id}")
        if response.status in {401, 403}:
            return  # the token may purge and not read: nothing more can be learnt
        name = str(_result(self._require_success(response)).get("name", ""))
        host = urlsplit(self._zone.site).hostname or ""
        if host != name and not host.endswith(f".{name}"):
            raise self._api.purge_error(
                f"the zone is that of {self._api.redact(name)}, and the site is at {host}: "
                "check EDGE_CLOUDFLARE_ZONE",
                credentials_rejected=True,
            )

    def _purge(self, payload: Mapping[str, Any]) -> None:
        self._require_success(
            self._api.send_json("POST", f"/zones/{self._zone.id}/purge_cache", payload)
        )

    def _require_success(self, response: ApiResponse) -> dict[str, Any]:
        """What the answer says, when it says that all went well."""
        document = response.json()
        if document is None and response.status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
            document = self._api.require_json(response)
        if document is not None and response.status < 300 and document.get("success") is True:  # noqa: PLR2004 - as above
            return document
        raise self._error_for(response, *_parse_errors(document or {}))

    def _error_for(self, response: ApiResponse, codes: set[int], message: str) -> PurgeError:
        if codes & _ZONE_CODES:
            return self._api.purge_error(
                f"it knows no zone {self._zone.id} that is ours: check EDGE_CLOUDFLARE_ZONE",
                credentials_rejected=True,
            )
        if codes & _TOKEN_CODES or response.status in {401, 403}:
            detail = f" ({self._api.redact(message)})" if message else ""
            sentence = f"it does not accept our credentials{detail}; {_ADVICE}"
            return self._api.purge_error(sentence, credentials_rejected=True)
        if response.status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
            reason = self._api.redact(message) or "without a reason"
            return self._api.purge_error(f"it answered that it did not purge: {reason}")
        return self._api.status_error(response, message)

    def _diagnose_token(self, error: PurgeError) -> PurgeError:
        """Tell a token that may not do this from one that is none."""
        response = self._api.send_json("GET", "/user/tokens/verify")
        if response.status != 200:  # noqa: PLR2004 - the token is none, or belongs to an account
            return error
        status = self._api.redact(
            str(_result(self._require_success(response)).get("status", "unknown"))
        )
        if status != "active":
            return self._api.purge_error(
                f"the token is {status}: make a new one and set EDGE_CLOUDFLARE_TOKEN",
                credentials_rejected=True,
            )
        return self._api.purge_error(
            f"the token is valid and may not purge zone {self._zone.id}: "
            "give it Zone → Cache Purge for this zone, or check EDGE_CLOUDFLARE_ZONE",
            credentials_rejected=True,
        )


def _result(document: Mapping[str, Any]) -> Mapping[str, Any]:
    result = document.get("result")
    return result if isinstance(result, dict) else {}


def _parse_errors(document: Mapping[str, Any]) -> tuple[set[int], str]:
    """The codes of all errors, and the words of the first."""
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
    """The way to the API."""
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
    """The driver that the settings speak of."""
    zone = ZoneSettings(
        id=require_identifier(
            values, "EDGE_CLOUDFLARE_ZONE", r"[0-9a-f]{32}", "32 hexadecimal digits"
        ),
        site=site,
        plan=require_choice(values, "EDGE_CLOUDFLARE_PLAN", PLANS),
        purge_by=require_choice(values, "EDGE_CLOUDFLARE_BY", PURGE_MODES),
    )
    return CloudflareDriver(make_client(values["EDGE_CLOUDFLARE_TOKEN"], client=client), zone)
