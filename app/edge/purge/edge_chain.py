"""The chain of edges in front of the gateway: which can be purged, and the headers for each.

Edges are named in the order in which a request meets them, so the first is the outermost. An edge
with a driver becomes a tier and may store pages for long; the TTL of the others is capped.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import takewhile
from types import MappingProxyType

from ..cdn import Driver
from ..gateway import capped_headers
from ..policy.cache_tags import format_tags
from ..policy.cdn_headers import (
    Dialect,
    FieldLines,
    format_policy,
    freshness_for,
    mixed_fields,
    with_purgeable,
)
from ..policy.policy import Freshness, Policy
from .tier import GATEWAY_PREFIX, Tier

DriverFactory = Callable[[str], Driver | None]
"""Returns the driver of an edge by the name of its dialect; None if it cannot be purged."""

MAX_FLIGHT_TIME = timedelta(minutes=1)
"""The longest time that a response may be on its way to a cache, including buffers."""

ALL_PAGES_TAG = "all"
"""The coarse tag that every response carries."""

PROPAGATION: Mapping[str, timedelta] = MappingProxyType(
    {
        "bunny": timedelta(seconds=10),
        "cloudflare": timedelta(seconds=10),
        "cloudfront": timedelta(minutes=2),
        "fastly": timedelta(seconds=5),
        "varnish": timedelta(0),
    }
)
"""How long an accepted purge may take to reach all servers of an edge."""

_UNKNOWN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeCache:
    """One edge in front; without a tier it cannot be purged."""

    dialect: Dialect
    tier: Tier | None = None
    driver: Driver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeChain:
    """The edges from the innermost outwards, and the dialect of the gateway if there is one."""

    edges: tuple[EdgeCache, ...]
    gateway: tuple[Dialect, ...]
    cap: timedelta
    propagation_delay: timedelta = timedelta(0)
    """The longest time for which stale content may be served after all purges were accepted."""
    dialects_by_count: tuple[tuple[Dialect, ...], ...] = field(init=False, repr=False)
    """All dialects, by the number of edges that can be purged; computed once for all responses."""
    tiers: Mapping[Tier, Driver] = field(init=False, repr=False)
    """The tiers that can be purged, each with its driver."""

    def __post_init__(self) -> None:
        dialects = tuple(self._dialects_for_count(number) for number in range(len(self.edges) + 1))
        object.__setattr__(self, "dialects_by_count", dialects)
        tiers = {edge.tier: edge.driver for edge in self.edges if edge.tier and edge.driver}
        object.__setattr__(self, "tiers", MappingProxyType(tiers))

    def _dialects_for_count(self, number: int) -> tuple[Dialect, ...]:
        names = {edge.dialect.name for edge in self.edges[:number] if edge.tier is not None}
        return (*with_purgeable((edge.dialect for edge in self.edges), names), *self.gateway)

    @classmethod
    def from_dialects(
        cls,
        dialects: Iterable[Dialect],
        gateway: tuple[Dialect, ...],
        *,
        cap: timedelta,
        drivers: DriverFactory | None = None,
    ) -> EdgeChain:
        """Create the chain of these edges; the first is the outermost."""
        edges, delay = [], timedelta(0)
        for depth, dialect in enumerate(reversed(tuple(dialects)), start=1):
            driver = drivers(dialect.name) if drivers else None
            # An inner edge that serves stale pages after its purge may refill the outer edges.
            delay += cap if driver is None else PROPAGATION.get(dialect.name, _UNKNOWN)
            ignored = timedelta(0) if driver is None else driver.limits.ignored_lifetime
            tier = Tier(
                name=dialect.name,
                depth=depth,
                max_flight_time=MAX_FLIGHT_TIME + delay,
                ignored_lifetime=ignored,
                by_url=_purges_by_url(driver),
            )
            edges.append(
                EdgeCache(dialect=dialect, tier=tier if driver is not None else None, driver=driver)
            )
        return cls(edges=tuple(edges), gateway=gateway, cap=cap, propagation_delay=delay)

    @property
    def purgeable_count(self) -> int:
        """Return how many edges, from the innermost, can be purged while no breaker is open."""
        return len(self.edges) if self.tiers else 0

    @property
    def purgeable_by_tag_count(self) -> int:
        """Return how many edges, from the innermost, purge a page under all its URLs."""
        edges = takewhile(lambda edge: not _purges_by_url(edge.driver), self.edges)
        return min(len([*edges]), self.purgeable_count)

    def purgeable_count_without(self, broken: Collection[str]) -> int:
        """Return how many edges, from the innermost, can be purged while these tiers cannot.

        An edge outside of a broken tier may be refilled with stale pages from it.
        """
        if any(name.startswith(GATEWAY_PREFIX) for name in broken):
            return 0
        edges = takewhile(lambda edge: edge.dialect.name not in broken, self.edges)
        return min(len([*edges]), self.purgeable_count)

    def dialects(self, purgeable_count: int | None = None) -> tuple[Dialect, ...]:
        """Return the dialects of all edges and the gateway; unpurgeable edges are capped."""
        return self.dialects_by_count[-1 if purgeable_count is None else purgeable_count]

    def format_policy(self, policy: Policy, purgeable_count: int | None = None) -> FieldLines:
        """Return the header lines of a policy for browser, edges and gateway."""
        return format_policy(policy, self.dialects(purgeable_count), cap=self.cap)

    def capped_headers(self, policy: Policy) -> str:
        """Return the header lines for the gateway to send while fewer edges can be purged."""
        return _format_capped(policy, self.dialects_by_count[: self.purgeable_count + 1], self.cap)

    def format_tags(self, *tags: str) -> FieldLines:
        """Return the header lines with a page's tags for the edges that are purged by tag."""
        readers = [edge.dialect for edge in self.edges if edge.tier is not None]
        return format_tags((*tags, ALL_PAGES_TAG), readers)

    def max_lifetime(self, policy: Policy) -> timedelta:
        """Return how long any cache may hold a response that is sent now.

        Each edge may fetch it in the last second in which the next inner edge may serve it, and
        then start its own TTL.
        """
        flights = [edge.tier.max_flight_time for edge in self.edges if edge.tier is not None]
        return max(flights, default=MAX_FLIGHT_TIME) + _sum_lifetimes(
            policy, self.dialects(), self.cap
        )

    @property
    def max_staleness_after_purge(self) -> timedelta:
        """Return how long after the last purge of a page an edge may still serve an old copy."""
        return MAX_FLIGHT_TIME + self.propagation_delay

    def texts_by_edge(self, policy: Policy) -> dict[str, str]:
        """Describe what each edge does, in the order in which a request meets them."""
        return {
            edge.dialect.name: self._text_for_edge(policy, edge) for edge in reversed(self.edges)
        }

    def _text_for_edge(self, policy: Policy, edge: EdgeCache) -> str:
        if not policy.is_shareable:
            return "keeps nothing"
        dialect = next(each for each in self.dialects() if each.name == edge.dialect.name)
        if names := mixed_fields(policy, dialect):
            return f"keeps nothing: it does not vary its copies by {', '.join(names)}"
        freshness = freshness_for(policy, dialect, cap=self.cap)
        capped = ", because it can't be purged" if freshness != policy.edge_freshness else ""
        return f"{freshness.to_text()}{capped}"

    @property
    def digest(self) -> str:
        """Identifies the header format of stored pages; if it changes, the gateway is purged."""
        return f"{self.dialects()!r} {self.cap}"


@lru_cache(maxsize=256)
def _format_capped(
    policy: Policy, dialects_by_count: tuple[tuple[Dialect, ...], ...], cap: timedelta
) -> str:
    """Format the header lines that differ, for each smaller number of purgeable edges."""
    *wary, usual = (set(format_policy(policy, dialects, cap=cap)) for dialects in dialects_by_count)
    lines_by_count = {str(number): sorted(lines - usual) for number, lines in enumerate(wary)}
    differing = {number: lines for number, lines in lines_by_count.items() if lines}
    return capped_headers.format_capped_headers(differing) if differing else ""


@lru_cache(maxsize=256)
def _sum_lifetimes(policy: Policy, dialects: tuple[Dialect, ...], cap: timedelta) -> timedelta:
    """Sum how long each of these caches may serve a response, one after another."""
    lives = [_lifetime(freshness_for(policy, dialect, cap=cap)) for dialect in dialects]
    # Caches that are not configured behave like browsers.
    return sum(lives, _lifetime(policy.browser))


def _purges_by_url(driver: Driver | None) -> bool:
    return bool(getattr(driver, "purges_by_url", False))


def _lifetime(freshness: Freshness) -> timedelta:
    spans = (freshness.ttl, freshness.stale_while_revalidate, freshness.stale_if_error)
    return sum((span for span in spans if span is not None), timedelta(0))
