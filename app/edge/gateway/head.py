"""Head: status and header of an answer, with the instants between which it came.

Instants are epoch seconds: the age of every HIT is counted from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ..http import dates, framing
from ..http.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..http.fields import Pair


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What an application or a store says before the body; there is always a Date."""

    status: int
    reason: str
    pairs: tuple[Pair, ...]
    requested_at: float
    received_at: float
    fields: Fields = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not any(name.lower() == "date" for name, _ in self.pairs):
            dated = (*self.pairs, ("Date", dates.written(self.received_at)))
            object.__setattr__(self, "pairs", dated)
        object.__setattr__(self, "fields", Fields(self.pairs))

    @classmethod
    def of(
        cls, line: str, pairs: Iterable[Pair], *, requested_at: float, received_at: float
    ) -> Self:
        """Read a WSGI status line and header list; a line without a number is a 500."""
        code = line[:3]
        return cls(
            status=int(code) if code.isascii() and code.isdigit() else 500,
            reason=line[4:].strip() or "Unknown",
            pairs=tuple(pairs),
            requested_at=requested_at,
            received_at=received_at,
        )

    @property
    def line(self) -> str:
        """Return the status line as WSGI wants it."""
        return f"{self.status:03} {self.reason}"

    @property
    def length(self) -> int | None:
        """Return Content-Length; None when it is absent, `framing.INVALID` when it is no number."""
        return framing.content_length(self.fields)
