"""Exchange: one request and what came back, as recorded; nothing in here asks anybody."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..http import vary
from ..http.cache_control import Directives
from ..http.fields import Fields, Pair
from ..http.freshness import age_value
from .cache_headers import Served, served_from
from .content_decoding import Unreadable, unpacked

if TYPE_CHECKING:
    from collections.abc import Iterable

BROWSER: tuple[Pair, ...] = (("Accept-Encoding", "gzip, br"),)
"""What a browser says, as far as caches care."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """One request; `past` sends it to the origin's own address, past the CDN."""

    target: str
    method: str = "GET"
    headers: tuple[Pair, ...] = BROWSER
    past: bool = False

    def words(self) -> str:
        """The request as evidence."""
        said = ", ".join(f"{name}: {value}" for name, value in self.headers)
        if self.headers == BROWSER or not said:
            return f"{self.method} {self.target}"
        return f"{self.method} {self.target} with {said}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """A request with its answer; `body` as it came over the wire, `cut` if not read to its end."""

    ask: Ask
    status: int
    fields: Fields
    body: bytes = b""
    cut: bool = False
    seconds: float = 0.0
    served: tuple[Served, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "served", served_from(self.fields))

    @property
    def target(self) -> str:
        """The path and query that were asked for."""
        return self.ask.target

    @property
    def outermost(self) -> Served | None:
        """What the cache nearest to the reader did; None where no cache tells."""
        return self.served[-1] if self.served else None

    @property
    def hit(self) -> bool:
        """Whether the cache nearest to the reader answered by itself."""
        return self.outermost is not None and self.outermost.kept

    @property
    def any_hit(self) -> bool:
        """Whether any cache on the way answered by itself."""
        return any(served.kept for served in self.served)

    @property
    def control(self) -> Directives:
        """What Cache-Control says."""
        return Directives.parse(self.fields.lines("cache-control"))

    @property
    def coding(self) -> str:
        """The content coding; empty for none."""
        said = self.fields.combined("content-encoding").strip().lower()
        return "" if said == "identity" else said

    @property
    def varies(self) -> frozenset[str]:
        """The lower-case names of Vary, `*` among them."""
        names = vary.nominated(self.fields.lines("vary"))
        return frozenset({"*"} if names is None else names)

    @property
    def age(self) -> int:
        """The Age in seconds; zero when there is none."""
        return age_value(self.fields)

    @property
    def media_type(self) -> str:
        """The media type without its parameters."""
        return (self.fields.first("content-type") or "").partition(";")[0].strip().lower()

    def content(self) -> bytes | None:
        """The body unpacked; None when it can't be unpacked."""
        try:
            return unpacked(self.body, self.coding, cut=self.cut)
        except Unreadable:
            return None

    def text(self) -> str:
        """The content as text, empty when it can't be unpacked; for finding links and words."""
        return (self.content() or b"").decode("utf-8", errors="replace")

    def words(self) -> str:
        """The exchange as evidence."""
        caches = ", ".join(served.words() for served in self.served)
        return f"{self.ask.words()}: {self.status}" + (f" ({caches})" if caches else "")


def answered(
    target: str, status: int = 200, headers: Iterable[Pair] = (), body: bytes = b"page"
) -> Exchange:
    """An exchange written down by hand: what tests and other programs judge by."""
    return Exchange(ask=Ask(target=target), status=status, fields=Fields(headers), body=body)
