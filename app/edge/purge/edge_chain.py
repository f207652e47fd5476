"""The front: the edges before the gateway, which of them can be purged, and what each is told.

Edges are named as a reader's request meets them, so the first is the outermost. An edge that has
a driver becomes a tier and keeps pages for long; the others are held to the cap.
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
from . import Tier
from .membership import GATEWAY_PREFIX

DriverFactory = Callable[[str], Driver | None]
"""Gives the driver of an edge by the name of its dialect; None where it can't be purged."""

MAX_FLIGHT_TIME = timedelta(minutes=1)
"""The longest time that a response may be on its way to a cache: to be sent, and in buffers."""

ALL_PAGES_TAG = "all"
"""The coarse tag that stands on every response."""

PROPAGATION: Mapping[str, timedelta] = MappingProxyType(
    {
        "bunny": timedelta(seconds=10),
        "cloudflare": timedelta(seconds=10),
        "cloudfront": timedelta(minutes=2),
        "fastly": timedelta(seconds=5),
        "varnish": timedelta(0),
    }
)
"""How long a purge that was accepted may take to reach the whole of an edge."""

_UNKNOWN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeCache:
    """One edge in front; without a tier it can't be purged."""

    dialect: Dialect
    tier: Tier | None = None
    driver: Driver | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeChain:
    """The edges from the innermost outwards, and the gateway's own dialect where there is one."""

    edges: tuple[EdgeCache, ...]
    gateway: tuple[Dialect, ...]
    cap: timedelta
    propagation_delay: timedelta = timedelta(0)
    """The longest time for which something old may be shown when all purges are done."""
    dialects_by_count: tuple[tuple[Dialect, ...], ...] = field(init=False, repr=False)
    """All dialects, by how many edges are trusted: made once, since each answer asks for them."""
    tiers: Mapping[Tier, Driver] = field(init=False, repr=False)
    """What can be purged, and by what."""

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
        """Place these edges, of which the first is the outermost."""
        edges, delay = [], timedelta(0)
        for depth, dialect in enumerate(reversed(tuple(dialects)), start=1):
            driver = drivers(dialect.name) if drivers else None
            # What an inner edge still shows after its purge may fill the outer ones again.
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
        """How many edges, counted from inside, can be purged while nothing is in doubt."""
        return len(self.edges) if self.tiers else 0

    @property
    def purgeable_by_tag_count(self) -> int:
        """How many edges can be purged of a page that they got under another URL than its own."""
        edges = takewhile(lambda edge: not _purges_by_url(edge.driver), self.edges)
        return min(len([*edges]), self.purgeable_count)

    def purgeable_count_without(self, broken: Collection[str]) -> int:
        """How many edges can be purged while these tiers can't.

        Whoever stands behind one that can't may be filled with old pages by it.
        """
        if any(name.startswith(GATEWAY_PREFIX) for name in broken):
            return 0
        edges = takewhile(lambda edge: edge.dialect.name not in broken, self.edges)
        return min(len([*edges]), self.purgeable_count)

    def dialects(self, purgeable_count: int | None = None) -> tuple[Dialect, ...]:
        """The dialects of all edges and the gateway; so many edges are trusted to be purged."""
        return self.dialects_by_count[-1 if purgeable_count is None else purgeable_count]

    def format_policy(self, policy: Policy, purgeable_count: int | None = None) -> FieldLines:
        """Write a policy for browser, edges and gateway."""
        return format_policy(policy, self.dialects(purgeable_count), cap=self.cap)

    def capped_headers(self, policy: Policy) -> str:
        """Tell the gateway what to say while fewer edges are trusted; empty if it is the same."""
        return _format_capped(policy, self.dialects_by_count[: self.purgeable_count + 1], self.cap)

    def format_tags(self, *tags: str) -> FieldLines:
        """Write a page's tags for the edges that are purged by them."""
        readers = [edge.dialect for edge in self.edges if edge.tier is not None]
        return format_tags((*tags, ALL_PAGES_TAG), readers)

    def max_lifetime(self, policy: Policy) -> timedelta:
        """How long any cache may hold a response that leaves now.

        Each edge may get it in the last second in which the one behind it may serve it, and
        count anew.
        """
        flights = [edge.tier.max_flight_time for edge in self.edges if edge.tier is not None]
        return max(flights, default=MAX_FLIGHT_TIME) + _sum_lifetimes(
            policy, self.dialects(), self.cap
        )

    @property
    def max_staleness_after_purge(self) -> timedelta:
        """How long after the last purge of a page an edge may still show an old one."""
        return MAX_FLIGHT_TIME + self.propagation_delay

    def texts_by_edge(self, policy: Policy) -> dict[str, str]:
        """Say what each edge does, as a reader's request meets them."""
        return {
            edge.dialect.name: self._text_for_edge(policy, edge) for edge in reversed(self.edges)
        }

    def _text_for_edge(self, policy: Policy, edge: EdgeCache) -> str:
        if not policy.is_shareable:
            return "keeps nothing"
        dialect = next(each for each in self.dialects() if each.name == edge.dialect.name)
        if names := mixed_fields(policy, dialect):
            return f"keeps nothing: it does not keep copies apart by {', '.join(names)}"
        freshness = freshness_for(policy, dialect, cap=self.cap)
        capped = ", for it can't be purged" if freshness != policy.edge_freshness else ""
        return f"{freshness.to_text()}{capped}"

    @property
    def digest(self) -> str:
        """What decides how pages that the gateway keeps are spelt."""
        return f"{self.dialects()!r} {self.cap}"


@lru_cache(maxsize=256)
def _format_capped(
    policy: Policy, dialects_by_count: tuple[tuple[Dialect, ...], ...], cap: timedelta
) -> str:
    """Spell the lines that differ, for each number of edges that are trusted but the last."""
    *wary, usual = (set(format_policy(policy, dialects, cap=cap)) for dialects in dialects_by_count)
    lines_by_count = {str(number): sorted(lines - usual) for number, lines in enumerate(wary)}
    differing = {number: lines for number, lines in lines_by_count.items() if lines}
    return capped_headers.format_capped_headers(differing) if differing else ""


@lru_cache(maxsize=256)
def _sum_lifetimes(policy: Policy, dialects: tuple[Dialect, ...], cap: timedelta) -> timedelta:
    """Add up how long each of these may serve a response, one after another."""
    lives = [_lifetime(freshness_for(policy, dialect, cap=cap)) for dialect in dialects]
    # Caches that nobody named do as browsers do.
    return sum(lives, _lifetime(policy.browser))


def _purges_by_url(driver: Driver | None) -> bool:
    return bool(getattr(driver, "by_url", False))


def _lifetime(freshness: Freshness) -> timedelta:
    spans = (freshness.ttl, freshness.stale_while_revalidate, freshness.stale_if_error)
    return sum((span for span in spans if span is not None), timedelta(0))
