"""The status and header of a response, with the times of its request and its arrival.

Times are epoch seconds, because the age of every HIT is computed from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from ..http import dates, framing
from ..http.fields import HeaderFields

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..http.fields import FieldLine


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHead:
    """Status, reason and header lines of a response; a Date is always present."""

    status: int
    reason: str
    pairs: tuple[FieldLine, ...]
    requested_at: float
    received_at: float
    fields: HeaderFields = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not any(name.lower() == "date" for name, _ in self.pairs):
            dated = (*self.pairs, ("Date", dates.format_http_date(self.received_at)))
            object.__setattr__(self, "pairs", dated)
        object.__setattr__(self, "fields", HeaderFields(self.pairs))

    @classmethod
    def from_wsgi(
        cls, line: str, pairs: Iterable[FieldLine], *, requested_at: float, received_at: float
    ) -> Self:
        """Parse a WSGI status line and header list; a status line without a number is a 500."""
        code = line[:3]
        return cls(
            status=int(code) if code.isascii() and code.isdigit() else 500,
            reason=line[4:].strip() or "Unknown",
            pairs=tuple(pairs),
            requested_at=requested_at,
            received_at=received_at,
        )

    @property
    def status_line(self) -> str:
        """Return the status line in the form of WSGI."""
        return f"{self.status:03} {self.reason}"

    @property
    def content_length(self) -> int | None:
        """Return Content-Length; None if it is absent, `framing.INVALID` if it is not a number."""
        return framing.content_length(self.fields)
