"""Select the field whose directives a cache uses (RFC 9213)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from . import structured_fields
from .cache_control import Directives

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .fields import HeaderFields


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveDirectives:
    """The directives in force and the lower-case name of their field.

    If it is not Cache-Control, this cache ignores Cache-Control and Expires.
    """

    directives: Directives
    source: str = "cache-control"

    @property
    def is_targeted(self) -> bool:
        """Return whether a targeted field overrides Cache-Control and Expires."""
        return self.source != "cache-control"


def effective_directives(fields: HeaderFields, targets: Iterable[str]) -> EffectiveDirectives:
    """Return the directives of the first targeted field that is valid and not empty."""
    for target in targets:
        if target in fields:
            directives = _targeted(tuple(fields.lines(target)))
            if directives is not None:
                return EffectiveDirectives(directives=directives, source=target)
    return EffectiveDirectives(directives=Directives.parse(fields.lines("cache-control")))


@lru_cache(maxsize=256)  # an application sends few different values
def _targeted(lines: tuple[str, ...]) -> Directives | None:
    """Return the directives of a targeted field; None if it is malformed or empty."""
    members = structured_fields.parse_dictionary(lines)
    return _directives(members) if members else None


def _directives(members: dict[str, structured_fields.Item]) -> Directives:
    arguments: dict[str, str | None] = {}
    for name, value in members.items():
        if value is not False:
            arguments[name] = None if value is True else _argument(value)
    return Directives(arguments)


def _argument(value: structured_fields.Item) -> str:
    """Return the argument in the form of Cache-Control; a quoted number is not a number."""
    if isinstance(value, tuple):
        return ", ".join(str(each) for each in value)
    if isinstance(value, str) and value.isdigit():
        return f'"{value}"'
    return str(value)
