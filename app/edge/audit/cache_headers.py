"""Read from a response's headers what each cache on the way did with the request.

Pure functions that never raise. A cache that reports in two header fields counts once.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..http.fields import HeaderFields


class CacheOutcome(StrEnum):
    """What a cache did with a request."""

    HIT = "hit"
    STALE = "stale"
    REVALIDATED = "revalidated"
    MISS = "miss"
    EXPIRED = "expired"
    PASS = "pass"  # noqa: S105 - no password
    DYNAMIC = "dynamic"
    ERROR = "error"


_HIT_OUTCOMES = frozenset({CacheOutcome.HIT, CacheOutcome.STALE, CacheOutcome.REVALIDATED})


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheResult:
    """What one cache reports: `detail` is its own text, `ttl` is in seconds, if it sends one."""

    cache: str
    outcome: CacheOutcome
    detail: str = ""
    ttl: float | None = None

    @property
    def is_hit(self) -> bool:
        """Return whether the cache answered from its store."""
        return self.outcome in _HIT_OUTCOMES

    def to_text(self) -> str:
        """Text for the evidence of a finding."""
        return f"{self.cache}: {self.outcome.value}"


_MEMBER = re.compile(r'(?:[^",]|"(?:[^"\\]|\\.)*")+')
_PART = re.compile(r'(?:[^";]|"(?:[^"\\]|\\.)*")+')
_NUMBER = re.compile(r"-?\d{1,12}(?:\.\d{1,3})?", re.ASCII)


def parse_cache_headers(fields: HeaderFields) -> tuple[CacheResult, ...]:
    """Return the results of all caches, the one nearest to the origin first."""
    results: list[CacheResult] = []
    for reader in _READERS:
        names = {result.cache for result in results}
        results += [result for result in reader(fields) if result.cache not in names]
    if not results and _has_age(fields):
        results.append(
            CacheResult(cache="a cache", outcome=CacheOutcome.HIT, detail="it has an Age")
        )
    return tuple(results)


def _cache_status(fields: HeaderFields) -> Iterator[CacheResult]:
    """Cache-Status (RFC 9211): a list that begins with the cache nearest to the origin."""
    for member in _MEMBER.findall(fields.combined("cache-status")):
        name, *parameters = (part.strip() for part in _PART.findall(member))
        params = {key.lower(): value for key, _, value in (p.partition("=") for p in parameters)}
        if name:
            yield CacheResult(
                cache=_vendor_name(name.strip('"')),
                outcome=_outcome_of_member(params),
                detail=params.get("detail", "").strip('"') or params.get("fwd", ""),
                ttl=_number(params.get("ttl")),
            )


def _outcome_of_member(params: dict[str, str]) -> CacheOutcome:
    if "hit" in params and params["hit"] != "?0":
        ttl = _number(params.get("ttl"))
        return CacheOutcome.STALE if ttl is not None and ttl < 0 else CacheOutcome.HIT
    if params.get("fwd") in {"bypass", "method", "request"}:
        return CacheOutcome.PASS
    if params.get("fwd") == "stale":
        not_modified = params.get("fwd-status") == "304"
        return CacheOutcome.REVALIDATED if not_modified else CacheOutcome.EXPIRED
    return CacheOutcome.MISS


_WORDS = (
    ("refreshhit", CacheOutcome.REVALIDATED),
    ("revalidated", CacheOutcome.REVALIDATED),
    ("stale", CacheOutcome.STALE),
    ("updating", CacheOutcome.STALE),
    ("expired", CacheOutcome.EXPIRED),
    ("dynamic", CacheOutcome.DYNAMIC),
    ("none", CacheOutcome.DYNAMIC),
    ("unknown", CacheOutcome.DYNAMIC),
    ("bypass", CacheOutcome.PASS),
    ("pass", CacheOutcome.PASS),
    ("error", CacheOutcome.ERROR),
    ("miss", CacheOutcome.MISS),
    ("hit", CacheOutcome.HIT),
)
"""The order matters: "RefreshHit" must not be read as a plain hit."""


def _outcome(word: str) -> CacheOutcome | None:
    lowered = re.sub(r"[\s_-]", "", word.lower())
    return next((outcome for part, outcome in _WORDS if part in lowered), None)


def _x_cache(fields: HeaderFields) -> Iterator[CacheResult]:
    """X-Cache, which nginx, Varnish, Fastly and CloudFront write in different forms."""
    elements = [part.strip() for part in fields.combined("x-cache").split(",") if part.strip()]
    for index, element in enumerate(elements):
        outcome = _outcome(element.partition(" from ")[0])
        if outcome is not None:
            yield CacheResult(
                cache=_x_cache_name(fields, element, index, len(elements)),
                outcome=outcome,
                detail=element,
            )


def _x_cache_name(fields: HeaderFields, element: str, index: int, count: int) -> str:
    if "cloudfront" in element.lower():
        return "cloudfront"
    if "x-served-by" in fields or "fastly" in fields.combined("via").lower():
        return "fastly" if index == count - 1 else "fastly shield"
    if "x-varnish" in fields:
        return "varnish"
    return "x-cache" if index == count - 1 else f"x-cache {index + 1}"


def _x_varnish(fields: HeaderFields) -> Iterator[CacheResult]:
    """X-Varnish: a hit has two transaction numbers, its own and that of the fetch."""
    if "x-varnish" in fields:
        hit = len(fields.combined("x-varnish").split(",")[-1].split()) > 1
        yield CacheResult(cache="varnish", outcome=CacheOutcome.HIT if hit else CacheOutcome.MISS)


def _hits(fields: HeaderFields) -> Iterator[CacheResult]:
    """X-Cache-Hits: Fastly and Varnish count the hits of a page."""
    if "x-cache" not in fields and "x-cache-hits" in fields:
        last = fields.combined("x-cache-hits").split(",")[-1].strip()
        hit = last.isdecimal() and int(last[:9]) > 0
        yield CacheResult(cache="x-cache", outcome=CacheOutcome.HIT if hit else CacheOutcome.MISS)


def _single_word_reader(field: str, cache: str) -> Callable[[HeaderFields], Iterator[CacheResult]]:
    """Return a reader of a header field that contains one word of one vendor."""

    def parse_field(fields: HeaderFields) -> Iterator[CacheResult]:
        value = fields.first(field)
        outcome = _outcome(value) if value else None
        if value and outcome is not None:
            yield CacheResult(cache=cache, outcome=outcome, detail=value)

    return parse_field


_READERS: tuple[Callable[[HeaderFields], Iterator[CacheResult]], ...] = (
    _cache_status,
    _single_word_reader("x-cache-status", "nginx"),
    _single_word_reader("x-proxy-cache", "nginx"),
    _x_cache,
    _x_varnish,
    _hits,
    _single_word_reader("cdn-cache", "bunny"),
    _single_word_reader("cf-cache-status", "cloudflare"),
)
"""The fields of single CDNs come last: a CDN is nearer to the reader than the other caches."""


def _vendor_name(name: str) -> str:
    lowered = name.lower()
    return next(
        (vendor for vendor in ("varnish", "nginx", "cloudflare") if vendor in lowered), name
    )


def _number(text: str | None) -> float | None:
    return float(text) if text is not None and _NUMBER.fullmatch(text) else None


def _has_age(fields: HeaderFields) -> bool:
    age = (fields.first("age") or "").strip()
    return age.isdecimal() and age.isascii() and int(age[:9]) > 0
