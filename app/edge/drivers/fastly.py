"""Fastly: `POST /service/<service>/purge` with a batch of keys.

| what | how |
|---|---|
| pages carry | `Surrogate-Key`, separated by spaces, 16 KB of keys |
| by key | `{"surrogate_keys": […]}`, 256 a call |
| soft purge | `Fastly-Soft-Purge: 1`: kept for the case that the origin fails |
| hard purge | without that field, for what must not be shown again |
| everything | `POST /service/<service>/purge_all`; never soft |
| who may | `Fastly-Key: <token>` with the scopes purge_select and purge_all |
| rate | not stated for batches; ours is ten calls a second |
| second purge | two seconds later or more: shield and edge may be purged in the wrong order |

By key, for a URL finds neither variants nor other spellings of a page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

import httpx

from .addresses import identifier
from .base import Limits, PurgeError, Target
from .channel import REQUEST, Answer, Channel, Credentials
from .tagged import tags_of

API = "https://api.fastly.com"
BATCH = 256
NEEDED = frozenset({"purge_select", "purge_all"})

_ADVICE = "check EDGE_FASTLY_TOKEN"


class FastlyDriver:
    """Purges one service."""

    # A batch of kept and lost pages takes two requests.
    limits = Limits(batch=BATCH, per_second=10, burst=50, timeout=2 * REQUEST)
    by_tag = True

    def __init__(self, channel: Channel, service: str) -> None:
        self._channel = channel
        self._service = service

    def purge(self, targets: Sequence[Target]) -> None:
        """Forget these pages: softly, unless they lost something."""
        self._purge([target for target in targets if target.gone], soft=False)
        self._purge([target for target in targets if not target.gone], soft=True)

    def purge_everything(self) -> None:
        """Forget all pages of the service, for good."""
        answer = self._channel.send("POST", f"/service/{self._service}/purge_all")
        self._judge(answer)
        status = self._channel.read(answer).get("status")
        if status != "ok":
            told = self._channel.clean(str(status))
            raise self._channel.error(f"it answered that it did not purge: {told}")

    def check(self) -> None:
        """Ask what the token may do, and for which services."""
        answer = self._channel.send("GET", "/tokens/self")
        self._judge(answer)
        said = self._channel.read(answer)
        scopes = set(str(said.get("scope", "")).split())
        if "global" not in scopes and not scopes >= NEEDED:
            lacking = " and ".join(sorted(NEEDED - scopes))
            raise self._channel.error(
                f"the token lacks the scope {lacking}: make one that has it", credential=True
            )
        services = said.get("services")
        if isinstance(services, list) and services and self._service not in services:
            raise self._unknown()

    def _purge(self, targets: Sequence[Target], *, soft: bool) -> None:
        if not targets:
            return
        headers = {"Fastly-Soft-Purge": "1"} if soft else {}
        said = {"surrogate_keys": tags_of("fastly", targets)}
        path = f"/service/{self._service}/purge"
        answer = self._channel.send("POST", path, said, headers=headers)
        self._judge(answer)
        self._channel.read(answer)

    def _judge(self, answer: Answer) -> None:
        if answer.status == 404:  # noqa: PLR2004 - RFC 9110 section 15.5.5
            raise self._unknown()
        if answer.status >= 400:  # noqa: PLR2004 - RFC 9110 section 15.5
            raise self._channel.refusal(answer, answer.word("msg"), hint=_ADVICE)

    def _unknown(self) -> PurgeError:
        return self._channel.error(
            f"it knows no service {self._service} that the token is for: "
            "check EDGE_FASTLY_SERVICE and EDGE_FASTLY_TOKEN",
            credential=True,
        )


def channel(
    token: str,
    *,
    api: str = API,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST,
) -> Channel:
    """The way to the API."""
    return Channel(
        "fastly",
        api,
        credentials=Credentials(headers={"Fastly-Key": token}, secrets=(token,)),
        client=client,
        timeout=timeout,
    )


def make(values: Mapping[str, str], *, site: str, client: httpx.Client | None) -> FastlyDriver:
    """The driver that the settings speak of."""
    del site  # a key is the same under every name
    service = identifier(values, "EDGE_FASTLY_SERVICE", r"[0-9A-Za-z]{1,64}", "letters and digits")
    return FastlyDriver(channel(values["EDGE_FASTLY_TOKEN"], client=client), service)
