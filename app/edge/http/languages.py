"""Choose one of a site's languages by Accept-Language (RFC 9110 section 12.5.4).

The scheme is lookup (RFC 4647 section 3.4): a range is shortened from its end until it is one of
the languages. A range such as `pt` also selects `pt-BR` if the site has no shorter tag.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_TAG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*")
_MEMBER: Final = re.compile(
    r"(\*|[a-z]{1,8}(?:-[a-z0-9]{1,8})*)(?:[ \t]*;[ \t]*q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?))?"
)
#: A longer Accept-Language counts as unparsable.
_MAX_LENGTH: Final = 1024
_ANY: Final = "*"

Weights = dict[str, float]


def is_language_tag(text: str) -> bool:
    """Return whether a text has the form of a language tag: subtags joined by hyphens."""
    return _TAG.fullmatch(text) is not None


def choose_language(header: str | None, languages: Sequence[str]) -> str:
    """Return the best of these languages, as written there; the first is the default.

    The default is returned if the header is absent, unparsable, or accepts no other language.
    The result is stable: a header with only the result selects it again.
    """
    if not header or len(header) > _MAX_LENGTH:
        return languages[0]
    return _choose_cached(header, tuple(languages))


@lru_cache(maxsize=1024)
def _choose_cached(header: str, languages: tuple[str, ...]) -> str:
    weights = _parse_weights(header)
    if weights is None:
        return languages[0]
    accepted = {tag.lower(): tag for tag in languages if _weight_of(tag.lower(), weights) != 0}
    if not accepted:
        return languages[0]
    for language_range in _by_preference(weights):
        if tag := _find_language(language_range, accepted):
            return accepted[tag]
    return next(iter(accepted.values()))


def _parse_weights(header: str) -> Weights | None:
    """Return the weight of each range in lower case; None for a malformed header."""
    weights: Weights = {}
    for part in header.lower().split(","):
        member = part.strip(" \t")
        if not member:  # RFC 9110 section 5.6.1.2: a recipient ignores empty elements
            continue
        match = _MEMBER.fullmatch(member)
        if match is None:
            return None
        weights.setdefault(match[1], float(match[2]) if match[2] else 1.0)
    return weights


def _by_preference(weights: Weights) -> list[str]:
    """Return the accepted ranges, the preferred first; lookup skips `*` (RFC 4647 section 3.4)."""
    ranges = [name for name, weight in weights.items() if weight > 0 and name != _ANY]
    return sorted(ranges, key=lambda name: -weights[name])


def _find_language(language_range: str, tags: Iterable[str]) -> str | None:
    """Return the tag that a range selects: itself, its longest prefix, or one that it begins."""
    for shorter in _shorten(language_range):
        if shorter in tags:
            return shorter
    return next((tag for tag in tags if tag.startswith(f"{language_range}-")), None)


def _weight_of(tag: str, weights: Weights) -> float | None:
    """Return the weight that the most specific matching range gives a tag; None if none does."""
    for name in _shorten(tag):
        if name in weights:
            return weights[name]
    return None


def _shorten(language_range: str) -> list[str]:
    """Return a range and its prefixes, the longest first; none ends in a single character."""
    subtags = language_range.split("-")
    prefixes = ["-".join(subtags[:count]) for count in range(len(subtags), 0, -1)]
    return [prefixes[0], *(p for p in prefixes[1:] if "-" not in p or p[-2] != "-")]
