"""Select the stored variant for a request by Vary (RFC 9111 section 4.1)."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from .languages import choose_language

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .fields import FieldLine

Selection = tuple[tuple[str, str | None], ...]

#: List fields: white space around commas is insignificant. Other fields are compared literally.
_LISTS: Final = frozenset(
    {"accept", "accept-charset", "accept-encoding", "accept-language", "prefer", "te"}
)
#: The list fields with case-insensitive members and weights.
_WEIGHTED: Final = frozenset({"accept-charset", "accept-encoding", "accept-language"})
#: The list fields without order. Of languages with equal weight some servers prefer the first.
_UNORDERED: Final = frozenset({"accept-charset", "accept-encoding"})
#: A longer value is compared without normalisation.
_MAX_LENGTH: Final = 4096
_FULL_WEIGHT: Final = re.compile(r";q=1(?:\.0{0,3})?(?=,|$)")


def nominated_fields(lines: Iterable[str]) -> tuple[str, ...] | None:
    """Return the lower-case names in Vary, sorted; None for `*`."""
    names = {name.strip(" \t").lower() for line in lines for name in line.split(",")}
    names.discard("")
    return None if "*" in names else tuple(sorted(names))


def field_names(lines: Iterable[str]) -> list[str]:
    """Return the names in all Vary lines, each once, in their order and case."""
    names = (name.strip(" \t") for line in lines for name in line.split(","))
    return list({name.lower(): name for name in names if name}.values())


def in_one_line(pairs: Iterable[FieldLine], *more: str) -> tuple[FieldLine, ...]:
    """Return header lines with at most one Vary line, which includes `more` unless it is `*`.

    Some caches (nginx before 1.23) use only the last of several Vary lines.
    """
    pairs = tuple(pairs)
    lines = [value for name, value in pairs if name.lower() == "vary"]
    names = field_names([*lines, *more])
    if not names or (len(lines) == 1 and len(names) == len(field_names(lines))):
        return pairs
    value = "*" if "*" in names else ", ".join(names)
    return (*(pair for pair in pairs if pair[0].lower() != "vary"), ("Vary", value))


def selecting_values(
    names: Iterable[str],
    value_of: Callable[[str], str | None],
    languages: tuple[str, ...] = (),
) -> Selection:
    """Return the normalised values of the nominated fields in a request.

    `languages` are those in which the response is available, if the origin lists them.
    """
    return tuple((name, normalise_value(name, value_of(name), languages)) for name in names)


def matches(
    selected: Selection,
    value_of: Callable[[str], str | None],
    languages: tuple[str, ...] = (),
) -> bool:
    """Return whether a request has the selecting values of a stored response."""
    return all(
        normalise_value(name, value_of(name), languages) == value for name, value in selected
    )


def normalise_value(name: str, value: str | None, languages: tuple[str, ...] = ()) -> str | None:
    """Return a normalised value that is the same for equivalent values.

    Accept-Language becomes one of `languages` if there are any.
    """
    if languages and name == "accept-language":
        return choose_language(value, languages)
    if value is None or len(value) > _MAX_LENGTH:
        return value
    return _normal(name, value)


@lru_cache(maxsize=1024)
def _normal(name: str, value: str) -> str:
    value = value.strip(" \t")
    if name not in _LISTS or '"' in value:
        return value
    if name not in _WEIGHTED:
        return ",".join(part.strip(" \t") for part in value.split(","))
    compact = value.lower().replace(" ", "").replace("\t", "")
    parts = [part for part in _FULL_WEIGHT.sub("", compact).split(",") if part]
    return ",".join(sorted(parts) if name in _UNORDERED else parts)
