"""Any edge that understands a purge of a URL, such as `PURGE /path`.

| what | how |
|---|---|
| by URL | `PURGE /path?query` at the edge's address, with the site's name as Host; one a request |
| method | EDGE_PURGE_METHOD |
| who may | EDGE_PURGE_SECRET in the field EDGE_PURGE_HEADER, or whom the edge lets by address |
| success | any 2xx; 404 and 410 for a page: nothing was kept |
| everything | the path EDGE_PURGE_ALL, answered with 2xx; without it a purge of everything fails |
| soft purge | none that all understand |
| rate | none |
| second purge | after the longest render |

By URL, which is all that such edges have in common: variants and other spellings must not be
objects of their own there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from ..http.uri import PLAIN, percent_encoded, target_of
from ..policy import PolicyError
from .addresses import address
from .base import Limits, PurgeError, Target
from .channel import REQUEST, Answer, Channel, Credentials
from .deadline import within

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}"  # noqa: S105 - RFC 9110 section 5.6.2, no secret


_IN_TARGETS = PLAIN.replace("*", "")
"""A `*` that a reader has sent is encoded, for many edges take it for a wildcard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How an edge wants to be told; `everything` is the path that stands for all."""

    site: str
    method: str = "PURGE"
    everything: str = ""


class GenericDriver:
    """Purges URL by URL."""

    limits = Limits(batch=10, timeout=2 * REQUEST)
    by_url = True

    def __init__(self, channel: Channel, manner: Manner) -> None:
        self._channel = channel
        self._manner = manner

    def purge(self, targets: Sequence[Target]) -> None:
        """Forget these pages."""
        with within(self.limits.timeout):
            for target in targets:
                path = percent_encoded(target_of(target.url), _IN_TARGETS)
                # A reader may ask for the very path that purges everything.
                if path != self._manner.everything:
                    self._purge(path, site=target.site, kept=True)

    def purge_everything(self) -> None:
        """Forget all pages, where there is a path that stands for them."""
        if not self._manner.everything:
            raise self._channel.error(
                "there is no way to purge everything at once: set EDGE_PURGE_ALL to the path that "
                "does, or purge the edge by hand",
            )
        self._purge(self._manner.everything, kept=False)

    def _purge(self, path: str, *, site: str = "", kept: bool) -> None:
        # The site of the page comes first: ours may be another one than readers know.
        host = {"Host": urlsplit(site or self._manner.site).netloc}
        answer = self._channel.ask(self._manner.method, path, headers=host)
        missing = kept and answer.status in {404, 410}
        if missing or (200 <= answer.status < 300 and not answer.html):  # noqa: PLR2004 - RFC 9110
            return
        raise self._refusal(answer)

    def _refusal(self, answer: Answer) -> PurgeError:
        if answer.html and answer.status < 300:  # noqa: PLR2004 - RFC 9110
            return self._channel.unreadable(answer, "a page for people")
        if answer.status in {404, 405, 501}:
            return self._channel.error(
                f"it does not know {self._manner.method} ({answer.status}): "
                "check EDGE_PURGE_URL, EDGE_PURGE_METHOD and EDGE_PURGE_ALL",
            )
        return self._channel.refusal(answer, hint="check EDGE_PURGE_SECRET and EDGE_PURGE_HEADER")


def channel(
    url: str,
    credentials: Credentials,
    *,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST,
) -> Channel:
    """The way to the edge."""
    name = f"the edge at {urlsplit(url).netloc}"
    return Channel(name, url, credentials=credentials, client=client, timeout=timeout)


def make(values: Mapping[str, str], *, site: str, client: httpx.Client | None) -> GenericDriver:
    """The driver that the settings speak of."""
    for key in ("EDGE_PURGE_METHOD", "EDGE_PURGE_HEADER"):
        if not re.fullmatch(_TOKEN, values[key]):
            raise PolicyError(f"{key} is {values[key]!r}: one word of letters, such as PURGE.")
    everything = values["EDGE_PURGE_ALL"]
    if everything and not re.fullmatch(r"/[\x21-\x7e]*", everything):
        raise PolicyError(f"EDGE_PURGE_ALL is {everything!r}: a path begins with a slash.")
    secret = values["EDGE_PURGE_SECRET"]
    parts = secret.split(" ", 1)
    credentials = Credentials(
        headers={values["EDGE_PURGE_HEADER"]: secret} if secret else {},
        secrets=(secret, parts[-1]) if secret else (),
    )
    return GenericDriver(
        channel(address("EDGE_PURGE_URL", values["EDGE_PURGE_URL"]), credentials, client=client),
        Manner(site=site, method=values["EDGE_PURGE_METHOD"].upper(), everything=everything),
    )
