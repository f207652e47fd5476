"""Varnish: `PURGE /` to every node, with the keys in a header field of our own.

| what | how |
|---|---|
| pages carry | `xkey`, one tag of their own and the tag `all` |
| soft purge | `xkey-softpurge: <key> <key> …`: kept for the case that the origin fails |
| hard purge | `xkey-purge: <key> <key> …`, for what must not be shown again |
| everything | `xkey-purge: all` |
| who may | `Authorization: Bearer <secret>`; 403 otherwise |
| by | tag, for it finds every variant and spelling of a page |
| a line | 500 keys, and less than 8 KiB (`http_req_hdr_len`) |
| rate | none |
| second purge | after the longest render: a page that is being fetched is not found |

The answers come from the VCL that `flask edge config varnish` prints: 200 with a few words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from .addresses import addresses
from .base import Limits, PurgeError, Target
from .channel import Answer, Channel, Credentials
from .deadline import within
from .tagged import NOBODY, tags_of

MOST_KEYS = 500
LONGEST_LINE = 7_900
"""Bytes of keys in one line: the field's name and a margin are left of 8 KiB."""

NODE = timedelta(seconds=5)
"""The longest time that one node may take for a whole call."""


class VarnishDriver:
    """Purges every node; when one of them fails the call has failed, and the error names it."""

    by_tag = True

    def __init__(self, nodes: Sequence[Channel]) -> None:
        if not nodes:
            raise ValueError("Varnish needs at least one node")
        self._nodes = tuple(nodes)
        # 250 tags of a page fit into one line.
        self.limits = Limits(batch=250, timeout=NODE * len(nodes))

    def purge(self, targets: Sequence[Target]) -> None:
        """Forget these pages: softly, unless they lost something."""
        kept = tags_of("varnish", (target for target in targets if not target.gone))
        gone = tags_of("varnish", (target for target in targets if target.gone))

        def each(node: Channel) -> None:
            for keys in lines(kept):
                _send(node, "xkey-softpurge", keys)
            for keys in lines(gone):
                _send(node, "xkey-purge", keys)

        self._each(each)

    def purge_everything(self) -> None:
        """Forget all pages, for good."""
        self._each(lambda node: _send(node, "xkey-purge", "all"))

    def check(self) -> None:
        """Ask each node to purge a key that no page carries."""
        self._each(lambda node: _send(node, "xkey-softpurge", NOBODY))

    def _each(self, call: Callable[[Channel], None]) -> None:
        errors = []
        for node in self._nodes:
            try:
                with within(NODE):
                    call(node)
            except PurgeError as error:
                errors.append(error)
        if errors:
            raise PurgeError.of(errors)


def lines(keys: Iterable[str]) -> Iterator[str]:
    """The keys in lines that Varnish takes."""
    line: list[str] = []
    length = 0
    for key in keys:
        if line and (len(line) == MOST_KEYS or length + len(key) >= LONGEST_LINE):
            yield " ".join(line)
            line, length = [], 0
        line.append(key)
        length += len(key) + 1
    if line:
        yield " ".join(line)


def channel(
    node: str, secret: str, *, client: httpx.Client | None = None, timeout: timedelta = NODE
) -> Channel:
    """The way to one node."""
    return Channel(
        f"varnish at {urlsplit(node).netloc}",
        node,
        credentials=Credentials(headers={"Authorization": f"Bearer {secret}"}, secrets=(secret,)),
        client=client,
        timeout=timeout,
    )


def _send(node: Channel, field: str, keys: str) -> None:
    answer = node.ask("PURGE", "/", headers={field: keys})
    if answer.status != 200 or answer.html:  # noqa: PLR2004 - nothing else is a success
        raise _refusal(node, answer)


def _refusal(node: Channel, answer: Answer) -> PurgeError:
    if answer.html or answer.status in {200, 404, 405, 501}:
        # It is no fault of these pages: another page would fare no better.
        told = f"{answer.status} with a page for people" if answer.html else str(answer.status)
        return node.error(
            f"it does not purge (it answered {told}): load the VCL of `flask edge config varnish`",
        )
    return node.refusal(answer, hint="check EDGE_VARNISH_SECRET and who may purge in the VCL")


def make(values: Mapping[str, str], *, site: str, client: httpx.Client | None) -> VarnishDriver:
    """The driver that the settings speak of."""
    del site  # a tag is the same under every name
    secret = values["EDGE_VARNISH_SECRET"]
    nodes = addresses("EDGE_VARNISH_NODES", values["EDGE_VARNISH_NODES"])
    return VarnishDriver([channel(node, secret, client=client) for node in nodes])
