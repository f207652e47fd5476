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

from ...http_client.deadline import deadline
from ..api_client import ApiClient, ApiResponse, Credentials
from ..base import CallLimits, PurgeError, PurgeTarget
from ..page_tags import UNUSED_TAG, unique_tags
from ..validation import parse_base_urls

MAX_KEYS_PER_LINE = 500
MAX_LINE_BYTES = 7_900
"""Bytes of keys in one line: the field's name and a margin are left of 8 KiB."""

NODE_TIMEOUT = timedelta(seconds=5)
"""The longest time that one node may take for a whole call."""


class VarnishDriver:
    """Purges every node; when one of them fails the call has failed, and the error names it."""

    purges_by_tag = True

    def __init__(self, nodes: Sequence[ApiClient]) -> None:
        if not nodes:
            raise ValueError("Varnish needs at least one node")
        self._nodes = tuple(nodes)
        # 250 tags of a page fit into one line.
        self.limits = CallLimits(batch=250, timeout=NODE_TIMEOUT * len(nodes))

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Forget these pages: softly, unless they lost something."""
        soft_tags = unique_tags("varnish", (target for target in targets if not target.hard_purge))
        hard_tags = unique_tags("varnish", (target for target in targets if target.hard_purge))

        def purge_node(node: ApiClient) -> None:
            for keys in join_keys(soft_tags):
                _purge_keys(node, "xkey-softpurge", keys)
            for keys in join_keys(hard_tags):
                _purge_keys(node, "xkey-purge", keys)

        self._for_each_node(purge_node)

    def purge_everything(self) -> None:
        """Forget all pages, for good."""
        self._for_each_node(lambda node: _purge_keys(node, "xkey-purge", "all"))

    def check(self) -> None:
        """Ask each node to purge a key that no page carries."""
        self._for_each_node(lambda node: _purge_keys(node, "xkey-softpurge", UNUSED_TAG))

    def _for_each_node(self, call: Callable[[ApiClient], None]) -> None:
        errors = []
        for node in self._nodes:
            try:
                with deadline(NODE_TIMEOUT):
                    call(node)
            except PurgeError as error:
                errors.append(error)
        if errors:
            raise PurgeError.combine(errors)


def join_keys(keys: Iterable[str]) -> Iterator[str]:
    """The keys in lines that Varnish takes."""
    line: list[str] = []
    length = 0
    for key in keys:
        if line and (len(line) == MAX_KEYS_PER_LINE or length + len(key) >= MAX_LINE_BYTES):
            yield " ".join(line)
            line, length = [], 0
        line.append(key)
        length += len(key) + 1
    if line:
        yield " ".join(line)


def make_client(
    node: str, secret: str, *, client: httpx.Client | None = None, timeout: timedelta = NODE_TIMEOUT
) -> ApiClient:
    """The way to one node."""
    return ApiClient(
        f"varnish at {urlsplit(node).netloc}",
        node,
        credentials=Credentials(headers={"Authorization": f"Bearer {secret}"}, secrets=(secret,)),
        client=client,
        timeout=timeout,
    )


def _purge_keys(node: ApiClient, field: str, keys: str) -> None:
    response = node.request("PURGE", "/", headers={field: keys})
    if response.status != 200 or response.is_html:  # noqa: PLR2004 - nothing else is a success
        raise _error_for(node, response)


def _error_for(node: ApiClient, response: ApiResponse) -> PurgeError:
    if response.is_html or response.status in {200, 404, 405, 501}:
        # It is no fault of these pages: another page would fare no better.
        detail = (
            f"{response.status} with a page for people"
            if response.is_html
            else str(response.status)
        )
        return node.purge_error(
            f"it does not purge (it answered {detail}): "
            "load the VCL of `flask edge config varnish`",
        )
    return node.status_error(
        response, hint="check EDGE_VARNISH_SECRET and who may purge in the VCL"
    )


def make_driver(
    values: Mapping[str, str], *, site: str, client: httpx.Client | None
) -> VarnishDriver:
    """The driver that the settings speak of."""
    del site  # a tag is the same under every name
    secret = values["EDGE_VARNISH_SECRET"]
    nodes = parse_base_urls("EDGE_VARNISH_NODES", values["EDGE_VARNISH_NODES"])
    return VarnishDriver([make_client(node, secret, client=client) for node in nodes])
