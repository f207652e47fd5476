"""Fetch images over HTTPS from hosts that were named, and from no private address.

The address that is checked is the address that is connected to, so that a second answer of the DNS
changes nothing.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

import httpcore
import httpx

from app.edge.http_client.deadline import DeadlineBackend, DeadlineTransport, deadline
from app.edge.http_client.errors import NETWORK_ERRORS, describe_network_error

Resolve = Callable[[str, int], Sequence[str]]

_HTTPS = 443
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_HEADERS = {"Accept": "image/*", "Accept-Encoding": "identity", "User-Agent": "Broadsheet import"}


class FetchError(ValueError):
    """An image that was not fetched; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """The limits of one import: bytes and time of an image, and of all images, and their number."""

    image_bytes: int = 20 * 1024 * 1024
    total_bytes: int = 1024 * 1024 * 1024
    images: int = 5000
    redirects: int = 3
    image_time: timedelta = timedelta(seconds=20)
    total_time: timedelta = timedelta(minutes=30)


def resolve_host(host: str, port: int) -> list[str]:
    """Return the addresses of a host; raises OSError."""
    infos = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


class PublicBackend(httpcore.NetworkBackend):
    """Opens connections to public addresses alone; `inner` connects to an address."""

    def __init__(
        self, resolve: Resolve = resolve_host, inner: httpcore.NetworkBackend | None = None
    ) -> None:
        self._resolve = resolve
        self._inner = inner or DeadlineBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of the host, if all its addresses are public."""
        try:
            addresses = self._resolve(host, port)
        except OSError:
            addresses = []
        if not addresses:
            raise FetchError(f"the host {host} has no address")
        for address in addresses:
            if not is_public(address):
                raise FetchError(f"the host {host} has the address {address}, which is not public")
        return self._inner.connect_tcp(addresses[0], port, timeout, local_address, socket_options)


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public Internet."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    embedded = getattr(ip, "ipv4_mapped", None) or getattr(ip, "sixtofour", None)
    if embedded is not None and not is_public(str(embedded)):
        return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


@dataclass(slots=True, kw_only=True)
class ImageFetcher:
    """Fetches images from some hosts, each URL once, within the limits of one import."""

    hosts: frozenset[str]
    transport: httpx.BaseTransport | None = None
    limits: FetchLimits = field(default_factory=FetchLimits)
    clock: Callable[[], float] = time.monotonic
    _images: int = 0
    _bytes: int = 0
    _started_at: float | None = None
    _errors: dict[str, str] = field(default_factory=dict)

    def accepts(self, url: str) -> bool:
        """Tell whether a URL has one of the hosts that were named."""
        try:
            return httpx.URL(url).host in self.hosts
        except (httpx.InvalidURL, TypeError, ValueError):
            return False

    def fetch(self, url: str) -> bytes:
        """Return the bytes at a URL; raises FetchError, and again for a URL that has failed."""
        if url in self._errors:
            raise FetchError(self._errors[url])
        try:
            self._begin()
            with deadline(self.limits.image_time), self._client() as client:
                data = self._follow(client, _https_url(url))
        except FetchError as error:
            self._errors[url] = str(error)
            raise
        except NETWORK_ERRORS as error:
            sentence = describe_network_error(error, self.limits.image_time)
            self._errors[url] = sentence
            raise FetchError(sentence) from None
        self._bytes += len(data)
        return data

    def _begin(self) -> None:
        """Count an image, unless a limit of the import is reached."""
        now = self.clock()
        self._started_at = now if self._started_at is None else self._started_at
        self._images += 1
        if self._images > self.limits.images:
            raise FetchError(f"the limit of {self.limits.images} images is reached")
        if self._bytes >= self.limits.total_bytes:
            raise FetchError(f"the limit of {_mebibytes(self.limits.total_bytes)} is reached")
        if now - self._started_at > self.limits.total_time.total_seconds():
            raise FetchError(f"the limit of {self.limits.total_time} is reached")

    def _client(self) -> httpx.Client:
        transport = self.transport or DeadlineTransport(backend=PublicBackend())
        timeout = self.limits.image_time.total_seconds()
        return httpx.Client(transport=transport, timeout=timeout, trust_env=False)

    def _follow(self, client: httpx.Client, url: httpx.URL) -> bytes:
        """Request a URL, and the URLs that it redirects to, while their hosts are named."""
        for _ in range(self.limits.redirects + 1):
            if url.host not in self.hosts:
                raise FetchError(f"it redirects to the host {url.host}, which is not named")
            with client.stream("GET", url, headers=_HEADERS, follow_redirects=False) as response:
                if response.status_code not in _REDIRECTS:
                    return self._read(response)
                url = _https_url(str(url.join(response.headers.get("Location", ""))))
        raise FetchError(f"it redirects more than {self.limits.redirects} times")

    def _read(self, response: httpx.Response) -> bytes:
        if response.status_code != _OK:
            raise FetchError(f"the host responded {response.status_code}")
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise FetchError("the host compressed it, although that was not accepted")
        most = min(self.limits.image_bytes, self.limits.total_bytes - self._bytes)
        data = bytearray()
        for chunk in response.iter_bytes():
            data += chunk
            if len(data) > most:
                raise FetchError(f"it has more than {_mebibytes(most)}")
        return bytes(data)


def _https_url(url: str) -> httpx.URL:
    """Return a URL with https in place of http; raises FetchError for every other URL."""
    try:
        parsed = httpx.URL(f"https:{url}" if url.startswith("//") else url)
    except (httpx.InvalidURL, TypeError, ValueError):
        raise FetchError("its URL is not valid") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise FetchError(f"its URL begins with {parsed.scheme or url[:20]!r}, not with https")
    if parsed.userinfo:
        raise FetchError("its URL has a user name")
    if parsed.port not in {None, _HTTPS}:
        raise FetchError(f"its URL has the port {parsed.port}; only {_HTTPS} is requested")
    return parsed.copy_with(scheme="https", port=None, fragment=None)


def _mebibytes(size: int) -> str:
    return f"{size / 1024 / 1024:.3g} MiB"
