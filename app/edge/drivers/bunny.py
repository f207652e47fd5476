"""bunny.net: `POST /pullzone/<zone>/purgeCache`.

| what | how |
|---|---|
| pages carry | `CDN-Tag`, separated by commas, 1024 bytes of tags |
| by tag | `{"CacheTag": "<tag>"}`, one a call |
| everything | the same without a body: all of the pull zone |
| soft purge | none: what is purged is gone |
| who may | `AccessKey: <key>` |
| rate | 120 calls at once, then 5 a second |
| second purge | after the longest time that a response takes from origin to edge |

By tag: a URL that ends in a slash is purged with all that lies below it, at a tenth of the rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx

from .addresses import identifier
from .base import BRIEF, Limits, PurgeError, Target
from .channel import REQUEST, Answer, Channel, Credentials
from .tagged import tags_of

API = "https://api.bunny.net"


class BunnyDriver:
    """Purges one pull zone."""

    limits = Limits(batch=1, per_second=5, burst=120, ignored_lifetime=BRIEF)
    by_tag = True

    def __init__(self, channel: Channel, zone: str, *, site: str) -> None:
        self._channel = channel
        self._zone = zone
        self._site = site

    def purge(self, targets: Sequence[Target]) -> None:
        """Forget this page."""
        for tag in tags_of("bunny", targets):
            self._purge({"CacheTag": tag})

    def purge_everything(self) -> None:
        """Forget all pages of the pull zone."""
        self._purge(None)

    def check(self) -> None:
        """Look at the pull zone: it must be there, and be the site's."""
        answer = self._channel.send("GET", f"/pullzone/{self._zone}")
        self._judge(answer)
        names = list(_hostnames(self._channel.read(answer)))
        host = urlsplit(self._site).hostname
        if names and host not in names:
            told = self._channel.clean(", ".join(names))
            raise self._channel.error(
                f"the pull zone {self._zone} serves {told}, and the site is at {host}: "
                "check EDGE_BUNNY_ZONE",
                credential=True,
            )

    def _purge(self, what: Mapping[str, Any] | None) -> None:
        answer = self._channel.send("POST", f"/pullzone/{self._zone}/purgeCache", what)
        self._judge(answer)
        if answer.html:
            self._channel.read(answer)  # says what is wrong

    def _judge(self, answer: Answer) -> None:
        if answer.status == 404:  # noqa: PLR2004 - RFC 9110 section 15.5.5
            raise self._unknown()
        if answer.status >= 400:  # noqa: PLR2004 - RFC 9110 section 15.5
            raise self._channel.refusal(answer, answer.word("Message"), hint="check EDGE_BUNNY_KEY")

    def _unknown(self) -> PurgeError:
        return self._channel.error(
            f"it knows no pull zone {self._zone} that is ours: check EDGE_BUNNY_ZONE",
            credential=True,
        )


def _hostnames(zone: Mapping[str, Any]) -> Iterator[str]:
    listed = zone.get("Hostnames")
    for each in listed if isinstance(listed, list) else []:
        if isinstance(each, dict) and each.get("Value"):
            yield str(each["Value"]).lower()


def channel(
    key: str,
    *,
    api: str = API,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST,
) -> Channel:
    """The way to the API."""
    return Channel(
        "bunny",
        api,
        credentials=Credentials(headers={"AccessKey": key}, secrets=(key,)),
        client=client,
        timeout=timeout,
    )


def make(values: Mapping[str, str], *, site: str, client: httpx.Client | None) -> BunnyDriver:
    """The driver that the settings speak of."""
    zone = identifier(values, "EDGE_BUNNY_ZONE", r"[0-9]{1,18}", "a number")
    return BunnyDriver(channel(values["EDGE_BUNNY_KEY"], client=client), zone, site=site)
