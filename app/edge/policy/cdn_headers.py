"""How each edge wants a policy written: one table that is the code and the documentation.

Pure: a policy in, header lines out. Stale directives never stand beside `s-maxage`, which
forbids serving stale (RFC 9111 §5.2.2.10).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..http.durations import delta_seconds
from .policy import ZERO, Freshness, Policy, PolicyError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import timedelta

FieldLines = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """One edge's spelling of freshness and tags.

    `fields` carry directives (RFC 9213 style), `seconds` a bare number, `s_maxage` says it in
    Cache-Control. `purged` tells whether we can purge there: until then a cap holds.
    `vouches` tells whether the edge hears of each purge before its maker goes on. `shows_purged`:
    what was purged softly is shown while it is fetched anew, so stale-while-revalidate is withheld.
    `variants` are the request fields by which the edge keeps variants apart; None: it obeys Vary.
    """

    name: str
    fields: tuple[str, ...] = ()
    seconds_field: str | None = None
    s_maxage: bool = False
    tags: str | None = None
    separator: str = ","
    can_be_purged: bool = False
    is_purged_synchronously: bool = False
    serves_soft_purged: bool = False
    variants: tuple[str, ...] | None = None
    remark: str = ""


_CODINGS = ("accept-encoding",)

CONFIGURABLE = frozenset({"cloudflare", "cloudfront"})
"""Edges that keep variants apart by request fields that their configuration names."""

_TABLE = (
    Dialect(
        name="cloudflare",
        fields=("CDN-Cache-Control",),
        tags="Cache-Tag",
        variants=_CODINGS,
        remark="HTML is cached only where a Cache Rule says so; EDGE_VARY names what it varies on",
    ),
    Dialect(
        name="fastly",
        fields=("Surrogate-Control",),
        tags="Surrogate-Key",
        separator=" ",
        serves_soft_purged=True,
        remark="no stale-while-revalidate: a page that was purged softly would be shown by it",
    ),
    Dialect(
        name="cloudfront",
        s_maxage=True,
        tags="Cache-Tag",
        variants=_CODINGS,
        remark="the name of the tag header and what it varies on (EDGE_VARY) are set there",
    ),
    Dialect(
        name="bunny",
        s_maxage=True,
        tags="CDN-Tag",
        variants=_CODINGS,
        remark="1024 bytes of tags; keeps no variants but codings",
    ),
    Dialect(
        name="varnish",
        fields=("Surrogate-Control",),
        tags="xkey",
        separator=" ",
        remark="Surrogate-Control is read by VCL",
    ),
    Dialect(
        name="nginx",
        seconds_field="X-Accel-Expires",
        remark="no tags; stale serving is set in nginx",
    ),
    Dialect(name="generic", fields=("CDN-Cache-Control",), s_maxage=True, tags="Cache-Tag"),
    Dialect(
        name="broadsheet",
        fields=("Broadsheet-Cache-Control",),
        can_be_purged=True,
        is_purged_synchronously=True,
        remark="the embedded gateway; it never shows the field to a reader",
    ),
)
_UNNAMED = Dialect(name="unnamed")
DIALECTS = MappingProxyType({dialect.name: dialect for dialect in _TABLE})
EDGE_FIELDS = frozenset(
    name for d in _TABLE for name in (*d.fields, d.seconds_field, d.tags) if name is not None
)


def parse_dialects(names: str | Iterable[str]) -> tuple[Dialect, ...]:
    """Look up dialects by name: "cloudflare" or "cloudflare,varnish"; an unknown one is refused."""
    listed = names.split(",") if isinstance(names, str) else names
    dialect_names = dict.fromkeys(name.strip().lower() for name in listed if name.strip())
    for name in dialect_names:
        if name not in DIALECTS:
            known_names = ", ".join(sorted(DIALECTS))
            raise PolicyError(
                f"EDGE names {name!r}, which is no dialect. Known ones: {known_names}."
            )
    return tuple(DIALECTS[name] for name in dialect_names)


@lru_cache(maxsize=256)
def format_policy(
    policy: Policy, dialects: tuple[Dialect, ...] = (), *, cap: timedelta | None
) -> FieldLines:
    """Write the policy as header lines for the browser and for each of these edges.

    Edges that can't be purged get no more than `cap` of an `edge` freshness, and nothing stale,
    where a purge would be needed for it to be true.
    """
    if policy.no_store:
        return (("Cache-Control", no_store_directives(policy)),)
    mixing = [dialect for dialect in dialects if mixed_fields(policy, dialect)]
    if (policy.edge is None or policy.literal) and not mixing:
        return (("Cache-Control", ", ".join(_for_all(policy, policy.edge))),)
    lines: dict[str, str] = {}
    before: dict[str, str] = {}
    for dialect in dialects:
        edge = freshness_for(policy, dialect, cap=cap)
        value = "no-store" if dialect in mixing else _for_dialect(policy, dialect, edge)
        lines |= dict.fromkeys(dialect.fields, value)
        if dialect.seconds_field:
            # nginx before 1.23 keeps nothing when it has read `max-age=0` before this.
            before[dialect.seconds_field] = str(_seconds_shared(edge))
    common = ("Cache-Control", _cache_control(policy, dialects, mixing, cap))
    return (*sorted(before.items()), common, *sorted(lines.items()))


def no_store_directives(policy: Policy) -> str:
    """Write a policy of `no-store` with the restrictive directives that stand beside it."""
    directives = [
        *_field_list_directives("private", policy.private),
        *_field_list_directives("no-cache", policy.browser.no_cache),
    ]
    directives.append("no-store")
    if policy.browser.must_revalidate:
        directives.append("must-revalidate")
    if policy.no_transform:
        directives.append("no-transform")
    return ", ".join(directives)


def mixed_fields(policy: Policy, dialect: Dialect) -> tuple[str, ...]:
    """Return the request fields that the policy varies on and by which this edge mixes variants.

    The page must not be stored there.
    """
    if dialect.variants is None or not policy.is_shareable:
        return ()
    return tuple(name for name in policy.vary if name.lower() not in dialect.variants)


def with_configured_variants(
    dialects: Iterable[Dialect], names: Collection[str]
) -> tuple[Dialect, ...]:
    """Return these dialects; those that can be configured to keep variants by `names` do."""
    more = {name.lower() for name in names}
    return tuple(
        replace(d, variants=tuple(sorted(more.union(d.variants))))
        if d.name in CONFIGURABLE and d.variants is not None
        else d
        for d in dialects
    )


def _cache_control(
    policy: Policy, dialects: tuple[Dialect, ...], mixing: list[Dialect], cap: timedelta | None
) -> str:
    """Return Cache-Control: for the browser, and for edges that read nothing else."""
    if any(not (dialect.fields or dialect.seconds_field) for dialect in mixing):
        return "no-store"
    if policy.edge is None or policy.literal:
        return ", ".join(_for_all(policy, policy.edge))
    freshness = _shared_freshness(policy, policy.edge, dialects, cap)
    return ", ".join(_for_all(policy, freshness))


def _for_dialect(policy: Policy, dialect: Dialect, edge: Freshness) -> str:
    words = [*_for_edge(policy, edge)]
    if dialect.is_purged_synchronously and not (
        policy.timed or policy.edge is None or policy.literal
    ):
        words.append("purged")
    return ", ".join(words)


def freshness_for(policy: Policy, dialect: Dialect, *, cap: timedelta | None) -> Freshness:
    """Return what an edge of this dialect may do with a page."""
    if mixed_fields(policy, dialect):
        return Freshness()
    if dialect.can_be_purged or policy.immutable or policy.literal or not policy.purged:
        return (
            _without_stale_while_revalidate(policy.edge_freshness)
            if dialect.serves_soft_purged and policy.purged
            else policy.edge_freshness
        )
    return policy.edge_freshness if policy.edge is None else _capped(policy.edge, cap)


def with_purgeable(dialects: Iterable[Dialect], names: Collection[str]) -> tuple[Dialect, ...]:
    """Return these dialects; those that are named can be purged, and no other."""
    return tuple(replace(d, can_be_purged=d.name in names) for d in dialects)


def _shared_freshness(
    policy: Policy, edge: Freshness, dialects: Iterable[Dialect], cap: timedelta | None
) -> Freshness | None:
    """Return what edges are told that read Cache-Control alone: the least that any of them may."""
    candidates = [
        freshness_for(policy, dialect, cap=cap) for dialect in dialects if dialect.s_maxage
    ]
    if candidates:
        return min(candidates, key=lambda freshness: freshness.ttl)
    return freshness_for(policy, _UNNAMED, cap=cap) if _stricter(edge, policy.browser) else None


def _stricter(edge: Freshness, browser: Freshness) -> bool:
    return (
        edge.ttl < browser.ttl
        or edge.must_revalidate > browser.must_revalidate
        or (edge.no_cache is True and browser.no_cache is not True)
    )


def _without_stale_while_revalidate(edge: Freshness) -> Freshness:
    return replace(edge, stale_while_revalidate=None)


def _capped(edge: Freshness, cap: timedelta | None) -> Freshness:
    if cap is None:
        return edge
    return replace(edge, ttl=min(edge.ttl, cap), stale_while_revalidate=None, stale_if_error=None)


def _seconds_shared(edge: Freshness) -> int:
    return 0 if edge.no_cache is True else delta_seconds(edge.ttl)


def _for_all(policy: Policy, edge: Freshness | None) -> Iterator[str]:
    if policy.public:
        yield "public"
    yield from _field_list_directives("private", policy.private)
    yield from _freshness_directives(policy.browser)
    if edge is not None:
        yield from _shared_cache_directives(policy.browser, edge)
    yield from _stale_directives(policy.browser)
    yield from _extra_directives(policy)
    if policy.immutable:
        yield "immutable"


def _shared_cache_directives(browser: Freshness, edge: Freshness) -> Iterator[str]:
    alike = edge.must_revalidate and edge.ttl == browser.ttl
    if not alike:
        yield f"s-maxage={_seconds_shared(edge)}"
    if edge.must_revalidate and not browser.must_revalidate:
        yield "proxy-revalidate"


def _for_edge(policy: Policy, edge: Freshness) -> Iterator[str]:
    yield from _field_list_directives("private", policy.private)
    yield from _freshness_directives(edge)
    yield from _stale_directives(edge)
    yield from _extra_directives(policy)


def _freshness_directives(freshness: Freshness) -> Iterator[str]:
    if freshness.no_cache is not True:
        yield f"max-age={delta_seconds(freshness.ttl)}"
    yield from _field_list_directives("no-cache", freshness.no_cache)
    if freshness.must_revalidate:
        yield "must-revalidate"


def _stale_directives(freshness: Freshness) -> Iterator[str]:
    if freshness.stale_while_revalidate is not None:
        yield f"stale-while-revalidate={delta_seconds(freshness.stale_while_revalidate)}"
    if freshness.stale_if_error is not None:
        yield f"stale-if-error={delta_seconds(freshness.stale_if_error)}"


def _extra_directives(policy: Policy) -> Iterator[str]:
    if policy.no_transform:
        yield "no-transform"
    if policy.must_understand:
        # no-store beside it stops the caches that don't know the directive (RFC 9111 §5.2.2.3).
        yield "must-understand"
        yield "no-store"


def _field_list_directives(directive: str, value: bool | tuple[str, ...]) -> Iterator[str]:  # noqa: FBT001 - True is the bare directive
    if value is True:
        yield directive
    elif value:
        yield f'{directive}="{", ".join(value)}"'


__all__ = [
    "CONFIGURABLE",
    "DIALECTS",
    "EDGE_FIELDS",
    "ZERO",
    "Dialect",
    "format_policy",
    "freshness_for",
    "mixed_fields",
    "no_store_directives",
    "parse_dialects",
    "with_configured_variants",
    "with_purgeable",
]
