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

from .addresses import absolute_url, identifier, one_of
from .base import BRIEF, Limits, PurgeError, Target
from .channel import REQUEST, Answer, Channel, Credentials
from .tagged import NOBODY, tags_of

API = "https://api.cloudflare.com/client/v4"
BATCH = 100
BY = ("tag", "url")

_ADVICE = "check EDGE_CLOUDFLARE_TOKEN and EDGE_CLOUDFLARE_ZONE"
_TOKEN_CODES = {1000, 6003, 6103, 6111, 9103, 9106, 9107, 9109, 10000, 10001}
_ZONE_CODES = {1049, 7000, 7003}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How many calls by tag, and how many URLs, an account of this plan may send."""

    calls_per_second: float
    burst: int
    urls_per_second: int

    def limits(self, by: str) -> Limits:
        """The same as the relay counts it: in calls."""
        if by == "tag":
            return Limits(batch=BATCH, per_second=self.calls_per_second, burst=self.burst)
        calls = self.urls_per_second // BATCH
        return Limits(batch=BATCH, per_second=calls, burst=calls, ignored_lifetime=BRIEF)


PLANS: Mapping[str, Plan] = MappingProxyType(
    {
        "free": Plan(calls_per_second=5 / 60, burst=25, urls_per_second=800),
        "pro": Plan(calls_per_second=5, burst=25, urls_per_second=1500),
        "business": Plan(calls_per_second=10, burst=50, urls_per_second=1500),
        "enterprise": Plan(calls_per_second=50, burst=500, urls_per_second=3000),
    },
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """One zone, the site in it, and how it is purged."""

    id: str
    site: str
    plan: str = "free"
    by: str = "tag"


class CloudflareDriver:
    """Purges one zone."""

    def __init__(self, channel: Channel, zone: Zone) -> None:
        self._channel = channel
        self._zone = zone
        self.limits = PLANS[zone.plan].limits(zone.by)
        self.by_url = zone.by == "url"
        self.by_tag = not self.by_url

    def purge(self, targets: Sequence[Target]) -> None:
        """Forget these pages."""
        if not targets:
            return
        if self._zone.by == "tag":
            self._purge({"tags": tags_of("cloudflare", targets)})
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
            self._purge({"tags": [NOBODY]})
        except PurgeError as error:
            raise (self._explained(error) if error.credential else error) from None
        answer = self._channel.send("GET", f"/zones/{self._zone.id}")
        if answer.status in {401, 403}:
            return  # the token may purge and not read: nothing more can be learnt
        name = str(_result(self._said(answer)).get("name", ""))
        host = urlsplit(self._zone.site).hostname or ""
        if host != name and not host.endswith(f".{name}"):
            raise self._channel.error(
                f"the zone is that of {self._channel.clean(name)}, and the site is at {host}: "
                "check EDGE_CLOUDFLARE_ZONE",
                credential=True,
            )

    def _purge(self, what: Mapping[str, Any]) -> None:
        self._said(self._channel.send("POST", f"/zones/{self._zone.id}/purge_cache", what))

    def _said(self, answer: Answer) -> dict[str, Any]:
        """What the answer says, when it says that all went well."""
        said = answer.json()
        if said is None and answer.status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
            said = self._channel.read(answer)
        if said is not None and answer.status < 300 and said.get("success") is True:  # noqa: PLR2004 - as above
            return said
        raise self._refusal(answer, *_errors(said or {}))

    def _refusal(self, answer: Answer, codes: set[int], message: str) -> PurgeError:
        if codes & _ZONE_CODES:
            return self._channel.error(
                f"it knows no zone {self._zone.id} that is ours: check EDGE_CLOUDFLARE_ZONE",
                credential=True,
            )
        if codes & _TOKEN_CODES or answer.status in {401, 403}:
            told = f" ({self._channel.clean(message)})" if message else ""
            sentence = f"it does not accept our credentials{told}; {_ADVICE}"
            return self._channel.error(sentence, credential=True)
        if answer.status < 300:  # noqa: PLR2004 - RFC 9110 section 15.3
            why = self._channel.clean(message) or "without a reason"
            return self._channel.error(f"it answered that it did not purge: {why}")
        return self._channel.refusal(answer, message)

    def _explained(self, error: PurgeError) -> PurgeError:
        """Tell a token that may not do this from one that is none."""
        answer = self._channel.send("GET", "/user/tokens/verify")
        if answer.status != 200:  # noqa: PLR2004 - the token is none, or belongs to an account
            return error
        status = self._channel.clean(str(_result(self._said(answer)).get("status", "unknown")))
        if status != "active":
            return self._channel.error(
                f"the token is {status}: make a new one and set EDGE_CLOUDFLARE_TOKEN",
                credential=True,
            )
        return self._channel.error(
            f"the token is valid and may not purge zone {self._zone.id}: "
            "give it Zone → Cache Purge for this zone, or check EDGE_CLOUDFLARE_ZONE",
            credential=True,
        )


def _result(said: Mapping[str, Any]) -> Mapping[str, Any]:
    found = said.get("result")
    return found if isinstance(found, dict) else {}


def _errors(said: Mapping[str, Any]) -> tuple[set[int], str]:
    """The codes of all errors, and the words of the first."""
    listed = said.get("errors")
    errors = [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []
    codes = {each["code"] for each in errors if isinstance(each.get("code"), int)}
    return codes, str(errors[0].get("message", "")) if errors else ""


def channel(
    token: str,
    *,
    api: str = API,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST,
) -> Channel:
    """The way to the API."""
    return Channel(
        "cloudflare",
        api,
        credentials=Credentials(headers={"Authorization": f"Bearer {token}"}, secrets=(token,)),
        client=client,
        timeout=timeout,
    )


def make(values: Mapping[str, str], *, site: str, client: httpx.Client | None) -> CloudflareDriver:
    """The driver that the settings speak of."""
    zone = Zone(
        id=identifier(values, "EDGE_CLOUDFLARE_ZONE", r"[0-9a-f]{32}", "32 hexadecimal digits"),
        site=site,
        plan=one_of(values, "EDGE_CLOUDFLARE_PLAN", PLANS),
        by=one_of(values, "EDGE_CLOUDFLARE_BY", BY),
    )
    return CloudflareDriver(channel(values["EDGE_CLOUDFLARE_TOKEN"], client=client), zone)
