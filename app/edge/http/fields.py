"""Fields: the header fields of one message, looked up without regard to case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

Pair = tuple[str, str]
_OWS: Final = " \t"


class Fields:
    """The lines of a message by lower-case name, each name's lines in their order."""

    __slots__ = ("_lines",)

    def __init__(self, pairs: Iterable[Pair]) -> None:
        self._lines: dict[str, list[str]] = {}
        for name, value in pairs:
            self._lines.setdefault(name.lower(), []).append(value.strip(_OWS))

    def __contains__(self, name: str) -> bool:
        return name in self._lines

    def lines(self, name: str) -> list[str]:
        """Return the values of all lines with this lower-case name."""
        return self._lines.get(name, [])

    def first(self, name: str) -> str | None:
        """Return the first line's value; None when there is no line."""
        lines = self._lines.get(name)
        return lines[0] if lines else None

    def only(self, name: str) -> str | None:
        """Return the value of a field that may come once; None when absent or contradictory."""
        lines = set(self._lines.get(name, ()))
        return lines.pop() if len(lines) == 1 else None

    def combined(self, name: str) -> str:
        """Return all lines as one list value (RFC 9110 section 5.3); empty when absent."""
        return ", ".join(self._lines.get(name, ()))
