"""Varnish: `PURGE /` to every node, with the keys in a header field.

| what | how |
|---|---|
| tag header | `xkey`, the tag of the page and the tag `all` |
| soft purge | `xkey-softpurge: <key> <key> …`: the old page may be served while the origin fails |
| hard purge | `xkey-purge: <key> <key> …`: the old page is never served again |
| everything | `xkey-purge: all` |
| credentials | `Authorization: Bearer <secret>`; 403 otherwise |
| by | tag, because it purges every variant and spelling of a page |
| a line | 500 keys, and less than 8 KiB (`http_req_hdr_len`) |
| rate | none |
| second purge | after the longest render: a purge does not reach a page that is being fetched |

The responses come from the VCL that `flask edge config varnish` prints: 200 with a short text.
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
"""Maximum bytes of keys in one line; the rest of 8 KiB is for the field's name and a margin."""

NODE_TIMEOUT = timedelta(seconds=5)
"""Maximum time of one node for a whole call."""


class VarnishDriver:
    """Purges every node; if one of them fails, the call fails and the error names the node."""

    purges_by_tag = True

    def __init__(self, nodes: Sequence[ApiClient]) -> None:
        if not nodes:
            raise ValueError("Varnish needs at least one node")
        self._nodes = tuple(nodes)
        # 250 tags of a page fit into one line.
        self.limits = CallLimits(batch=250, timeout=NODE_TIMEOUT * len(nodes))

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages, softly unless `hard_purge` is set."""
        soft_tags = unique_tags("varnish", (target for target in targets if not target.hard_purge))
        hard_tags = unique_tags("varnish", (target for target in targets if target.hard_purge))

        def purge_node(node: ApiClient) -> None:
            for keys in join_keys(soft_tags):
                _purge_keys(node, "xkey-softpurge", keys)
            for keys in join_keys(hard_tags):
                _purge_keys(node, "xkey-purge", keys)

        self._for_each_node(purge_node)

    def purge_everything(self) -> None:
        """Purge all pages (hard)."""
        self._for_each_node(lambda node: _purge_keys(node, "xkey-purge", "all"))

    def check(self) -> None:
        """Purge a key that no page has at each node."""
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
    """Join the keys into lines that Varnish accepts."""
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
    """Return the API client of one node."""
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
        # The call would fail for every page, so the error is retryable.
        detail = (
            f"{response.status} with an HTML page" if response.is_html else str(response.status)
        )
        return node.purge_error(
            f"the node does not purge (it answered {detail}): "
            "load the VCL of `flask edge config varnish`",
        )
    return node.status_error(
        response, hint="check EDGE_VARNISH_SECRET and the purge networks in the VCL"
    )


def make_driver(
    values: Mapping[str, str], *, site: str, client: httpx.Client | None
) -> VarnishDriver:
    """Build the driver from its settings."""
    del site  # a tag does not depend on the host name
    secret = values["EDGE_VARNISH_SECRET"]
    nodes = parse_base_urls("EDGE_VARNISH_NODES", values["EDGE_VARNISH_NODES"])
    return VarnishDriver([make_client(node, secret, client=client) for node in nodes])
