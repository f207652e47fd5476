"""Header lines of a policy for each edge, by one table of dialects.

Pure: takes a policy, returns header lines. Stale directives are never combined with `s-maxage`,
which forbids serving stale (RFC 9111 §5.2.2.10).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..http.durations import delta_seconds
from ..name import CACHE_CONTROL, NAME
from .policy import ZERO, Freshness, Policy, SettingError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator
    from datetime import timedelta

FieldLines = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """How one edge expects freshness and tags in headers.

    Attributes:
        name: the edge's name in the setting EDGE.
        fields: header fields with directives (RFC 9213).
        seconds_field: header field with a number of seconds.
        s_maxage: whether the edge reads `s-maxage` in Cache-Control.
        tags: header field of the cache tags; None if the edge has no tags.
        separator: separator between tags.
        can_be_purged: whether purges are configured; otherwise lifetimes are capped.
        is_purged_synchronously: whether a purge is done before the writer continues.
        serves_soft_purged: whether the edge serves soft-purged pages while it revalidates them;
            then `stale-while-revalidate` is not sent.
        variants: request fields by which the edge separates variants; None if it obeys Vary.
        remark: a remark for the table in the README.
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
"""Edges that separate variants by request fields that are set in their configuration."""

_TABLE = (
    Dialect(
        name="cloudflare",
        fields=("CDN-Cache-Control",),
        tags="Cache-Tag",
        variants=_CODINGS,
        remark="HTML is cached only if a Cache Rule enables it; "
        "EDGE_VARY lists the fields of variants",
    ),
    Dialect(
        name="fastly",
        fields=("Surrogate-Control",),
        tags="Surrogate-Key",
        separator=" ",
        serves_soft_purged=True,
        remark="no stale-while-revalidate: it would allow Fastly to serve soft-purged pages",
    ),
    Dialect(
        name="cloudfront",
        s_maxage=True,
        tags="Cache-Tag",
        variants=_CODINGS,
        remark="the distribution sets the tag header and the fields of variants (EDGE_VARY)",
    ),
    Dialect(
        name="bunny",
        s_maxage=True,
        tags="CDN-Tag",
        variants=_CODINGS,
        remark="at most 1024 bytes of tags; separates variants by content coding only",
    ),
    Dialect(
        name="varnish",
        fields=("Surrogate-Control",),
        tags="xkey",
        separator=" ",
        remark="the generated VCL reads Surrogate-Control",
    ),
    Dialect(
        name="nginx",
        seconds_field="X-Accel-Expires",
        variants=_CODINGS,  # the generated configuration ignores Vary
        remark="no tags; stale serving is configured in nginx; keeps no variants but codings",
    ),
    Dialect(name="generic", fields=("CDN-Cache-Control",), s_maxage=True, tags="Cache-Tag"),
    Dialect(
        name=NAME,
        fields=(CACHE_CONTROL,),
        can_be_purged=True,
        is_purged_synchronously=True,
        remark="the embedded gateway; it removes the field before it responds",
    ),
)
_UNNAMED = Dialect(name="unnamed")
DIALECTS = MappingProxyType({dialect.name: dialect for dialect in _TABLE})
EDGE_FIELDS = frozenset(
    name for d in _TABLE for name in (*d.fields, d.seconds_field, d.tags) if name is not None
)


def parse_dialects(names: str | Iterable[str]) -> tuple[Dialect, ...]:
    """Look up dialects by name: "cloudflare" or "cloudflare,varnish"; "none" and "" are no dialect.

    Raises SettingError for an unknown name.
    """
    listed = names.split(",") if isinstance(names, str) else names
    dialect_names = dict.fromkeys(name.strip().lower() for name in listed if name.strip())
    if list(dialect_names) == ["none"]:
        return ()
    for name in dialect_names:
        if name not in DIALECTS:
            raise SettingError(
                "{} contains {name!r}, which is not a known edge. Known edges: {known_names}.",
                "EDGE",
                name=name,
                known_names=", ".join(sorted(DIALECTS)),
            )
    return tuple(DIALECTS[name] for name in dialect_names)


@lru_cache(maxsize=256)
def format_policy(
    policy: Policy, dialects: tuple[Dialect, ...] = (), *, cap: timedelta | None
) -> FieldLines:
    """Format the policy as header lines for the browser and for each of these edges.

    An edge that can't be purged gets a TTL of at most `cap` and no stale directives, if the policy
    relies on purging.
    """
    if policy.no_store:
        return (("Cache-Control", no_store_directives(policy)),)
    mixing = [dialect for dialect in dialects if mixed_fields(policy, dialect)]
    if (policy.edge is None or policy.literal) and not mixing:
        return (("Cache-Control", ", ".join(_common_directives(policy, policy.edge))),)
    lines: dict[str, str] = {}
    before: dict[str, str] = {}
    for dialect in dialects:
        edge = freshness_for(policy, dialect, cap=cap)
        value = "no-store" if dialect in mixing else _for_dialect(policy, dialect, edge)
        lines |= dict.fromkeys(dialect.fields, value)
        if dialect.seconds_field:
            # Must come first: nginx before 1.23 stores nothing if it reads `max-age=0` before.
            before[dialect.seconds_field] = str(_seconds_shared(edge))
    common = ("Cache-Control", _cache_control(policy, dialects, mixing, cap))
    return (*sorted(before.items()), common, *sorted(lines.items()))


def no_store_directives(policy: Policy) -> str:
    """Format a `no-store` policy with its other restrictive directives."""
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
    """Return the request fields that the policy varies on and the edge ignores.

    If there are any, the page must not be stored at this edge.
    """
    if dialect.variants is None or not policy.is_shareable:
        return ()
    return tuple(name for name in policy.vary if name.lower() not in dialect.variants)


def with_configured_variants(
    dialects: Iterable[Dialect], names: Collection[str]
) -> tuple[Dialect, ...]:
    """Return these dialects; configurable edges also separate variants by `names`."""
    configured = {name.lower() for name in names}
    return tuple(
        replace(d, variants=tuple(sorted(configured.union(d.variants))))
        if d.name in CONFIGURABLE and d.variants is not None
        else d
        for d in dialects
    )


def _cache_control(
    policy: Policy, dialects: tuple[Dialect, ...], mixing: list[Dialect], cap: timedelta | None
) -> str:
    """Return Cache-Control, which browsers and some edges read."""
    if any(not (dialect.fields or dialect.seconds_field) for dialect in mixing):
        return "no-store"
    if policy.edge is None or policy.literal:
        return ", ".join(_common_directives(policy, policy.edge))
    freshness = _shared_freshness(policy, policy.edge, dialects, cap)
    return ", ".join(_common_directives(policy, freshness))


def _for_dialect(policy: Policy, dialect: Dialect, edge: Freshness) -> str:
    directives = [*_edge_directives(policy, edge)]
    if dialect.is_purged_synchronously and not (
        policy.timed or policy.edge is None or policy.literal
    ):
        directives.append("purged")
    return ", ".join(directives)


def freshness_for(policy: Policy, dialect: Dialect, *, cap: timedelta | None) -> Freshness:
    """Return the freshness of a page at an edge of this dialect."""
    if mixed_fields(policy, dialect):
        return Freshness()
    if dialect.can_be_purged or policy.immutable or policy.literal or not policy.purged:
        return (
            _without_stale_while_revalidate(policy.edge_freshness)
            if dialect.serves_soft_purged and policy.purged
            else policy.edge_freshness
        )
    return policy.edge_freshness if policy.edge is None else _cap_freshness(policy.edge, cap)


def with_purgeable(dialects: Iterable[Dialect], names: Collection[str]) -> tuple[Dialect, ...]:
    """Return these dialects; only those with one of these names can be purged."""
    return tuple(replace(d, can_be_purged=d.name in names) for d in dialects)


def _shared_freshness(
    policy: Policy, edge: Freshness, dialects: Iterable[Dialect], cap: timedelta | None
) -> Freshness | None:
    """Return the shortest freshness of the edges that read only Cache-Control."""
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


def _cap_freshness(edge: Freshness, cap: timedelta | None) -> Freshness:
    if cap is None:
        return edge
    return replace(edge, ttl=min(edge.ttl, cap), stale_while_revalidate=None, stale_if_error=None)


def _seconds_shared(edge: Freshness) -> int:
    return 0 if edge.no_cache is True else delta_seconds(edge.ttl)


def _common_directives(policy: Policy, edge: Freshness | None) -> Iterator[str]:
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
    is_equal = edge.must_revalidate and edge.ttl == browser.ttl
    if not is_equal:
        yield f"s-maxage={_seconds_shared(edge)}"
    if edge.must_revalidate and not browser.must_revalidate:
        yield "proxy-revalidate"


def _edge_directives(policy: Policy, edge: Freshness) -> Iterator[str]:
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
        # Caches that don't know the directive obey the no-store (RFC 9111 §5.2.2.3).
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
