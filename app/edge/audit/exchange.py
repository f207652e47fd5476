"""One recorded request with its response. This module sends nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..http import vary
from ..http.cache_control import Directives
from ..http.fields import FieldLine, HeaderFields
from ..http.freshness import parse_age
from .cache_headers import CacheResult, parse_cache_headers
from .content_decoding import DecodeError, decompress

if TYPE_CHECKING:
    from collections.abc import Iterable

BROWSER_HEADERS: tuple[FieldLine, ...] = (("Accept-Encoding", "gzip, br"),)
"""The request headers of a browser that affect caches."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRequest:
    """One request; with `to_origin` it goes to the origin's own address instead of the CDN."""

    target: str
    method: str = "GET"
    headers: tuple[FieldLine, ...] = BROWSER_HEADERS
    to_origin: bool = False

    def to_text(self) -> str:
        """Text for the evidence of a finding."""
        header_lines = ", ".join(f"{name}: {value}" for name, value in self.headers)
        if self.headers == BROWSER_HEADERS or not header_lines:
            return f"{self.method} {self.target}"
        return f"{self.method} {self.target} with {header_lines}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request with its response.

    `body` is as received, not decompressed; `is_truncated` if it was not read to its end.
    """

    request: ProbeRequest
    status: int
    fields: HeaderFields
    body: bytes = b""
    is_truncated: bool = False
    seconds: float = 0.0
    cache_results: tuple[CacheResult, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "cache_results", parse_cache_headers(self.fields))

    @property
    def target(self) -> str:
        """The requested path and query."""
        return self.request.target

    @property
    def outermost(self) -> CacheResult | None:
        """The result of the cache nearest to the reader; None if no cache reports one."""
        return self.cache_results[-1] if self.cache_results else None

    @property
    def is_hit(self) -> bool:
        """Return whether the cache nearest to the reader answered from its store."""
        return self.outermost is not None and self.outermost.is_hit

    @property
    def has_hit(self) -> bool:
        """Return whether any cache on the way answered from its store."""
        return any(result.is_hit for result in self.cache_results)

    @property
    def cache_control(self) -> Directives:
        """The directives of Cache-Control."""
        return Directives.parse(self.fields.lines("cache-control"))

    @property
    def content_coding(self) -> str:
        """The content coding; empty if there is none."""
        coding = self.fields.combined("content-encoding").strip().lower()
        return "" if coding == "identity" else coding

    @property
    def vary_names(self) -> frozenset[str]:
        """The lower-case field names of Vary; `*` is included."""
        names = vary.nominated_fields(self.fields.lines("vary"))
        return frozenset({"*"} if names is None else names)

    @property
    def age(self) -> int:
        """The Age in seconds; zero if there is none."""
        return parse_age(self.fields)

    @property
    def media_type(self) -> str:
        """The media type without its parameters."""
        return (self.fields.first("content-type") or "").partition(";")[0].strip().lower()

    def content(self) -> bytes | None:
        """Return the decompressed body; None if it can't be decompressed."""
        try:
            return decompress(self.body, self.content_coding, is_truncated=self.is_truncated)
        except DecodeError:
            return None

    def text(self) -> str:
        """Return the content as text, to search it; empty if it can't be decompressed."""
        return (self.content() or b"").decode("utf-8", errors="replace")

    def to_text(self) -> str:
        """Text for the evidence of a finding."""
        caches = ", ".join(result.to_text() for result in self.cache_results)
        return f"{self.request.to_text()}: {self.status}" + (f" ({caches})" if caches else "")


def make_exchange(
    target: str, status: int = 200, headers: Iterable[FieldLine] = (), body: bytes = b"page"
) -> Exchange:
    """Build an exchange by hand, for tests and other programs."""
    return Exchange(
        request=ProbeRequest(target=target), status=status, fields=HeaderFields(headers), body=body
    )
