"""The header fields of one message, with case-insensitive lookup."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

FieldLine = tuple[str, str]
_OWS: Final = " \t"
_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
#: RFC 9110 section 5.5: visible characters, spaces, tabs, and bytes above ASCII as latin-1.
_VALUE: Final = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


class HeaderFields:
    """The header lines of a message by lower-case name, in their order."""

    __slots__ = ("_lines",)

    def __init__(self, pairs: Iterable[FieldLine]) -> None:
        self._lines: dict[str, list[str]] = {}
        for name, value in pairs:
            self._lines.setdefault(name.lower(), []).append(value.strip(_OWS))

    def __contains__(self, name: str) -> bool:
        return name in self._lines

    def lines(self, name: str) -> list[str]:
        """Return the values of all lines with this lower-case name."""
        return self._lines.get(name, [])

    def first(self, name: str) -> str | None:
        """Return the value of the first line; None if there is no line."""
        lines = self._lines.get(name)
        return lines[0] if lines else None

    def single(self, name: str) -> str | None:
        """Return the value of a singleton field; None if absent or contradictory."""
        lines = set(self._lines.get(name, ()))
        return lines.pop() if len(lines) == 1 else None

    def combined(self, name: str) -> str:
        """Return all lines as one list value (RFC 9110 section 5.3); empty if absent."""
        return ", ".join(self._lines.get(name, ()))

    @property
    def sendable(self) -> bool:
        """Return whether each line is a header field that a server can send."""
        return all(
            is_name(name) and all(map(is_value, lines)) for name, lines in self._lines.items()
        )


def is_name(text: str) -> bool:
    """Return whether the text is a valid field name (RFC 9110 section 5.1)."""
    return _TOKEN.fullmatch(text) is not None


def is_value(text: str) -> bool:
    """Return whether the text is a valid field value (RFC 9110 section 5.5)."""
    return _VALUE.fullmatch(text) is not None
