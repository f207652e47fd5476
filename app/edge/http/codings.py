"""Choose the content coding by Accept-Encoding (RFC 9110 section 12.5.3)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

_MEMBER: Final = re.compile(r"([!#$%&'*+\-.^_`|~0-9a-z]+)(?:[ \t]*;[ \t]*q=([01](?:\.\d{0,3})?))?")
#: A longer Accept-Encoding is ignored.
_MAX_LENGTH: Final = 1024
#: RFC 9110 section 8.4.1.3: a recipient treats x-gzip as gzip.
_ALIASES: Final = {"x-gzip": "gzip"}


def parse_weights(header: str) -> dict[str, float]:
    """Return the weight of each coding; skip malformed elements."""
    weights: dict[str, float] = {}
    for member in header.lower().split(","):
        match = _MEMBER.fullmatch(member.strip(" \t"))
        if match:
            name = _ALIASES.get(match[1], match[1])
            weights[name] = min(1.0, float(match[2])) if match[2] else 1.0
    return weights


def choose_coding(header: str | None, available: Iterable[str]) -> str:
    """Return the best available coding; `available` is in the server's order of preference.

    That order decides between equal weights. If no coding is acceptable, the result is identity,
    even if it is excluded: RFC 9110 allows that, and a page is better than a 406.
    """
    if not header or len(header) > _MAX_LENGTH:
        return "identity"
    return _choose_cached(header, tuple(available))


@lru_cache(maxsize=512)
def _choose_cached(header: str, available: tuple[str, ...]) -> str:
    weights = parse_weights(header)
    best, heaviest = "identity", weights.get("identity", 0.0)
    for coding in available:
        if coding != "identity":
            weight = weights.get(coding, weights.get("*", 0.0))
            if weight > 0 and weight >= heaviest and (weight > heaviest or best == "identity"):
                best, heaviest = coding, weight
    return best
