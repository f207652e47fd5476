"""Determine where the body of a message ends (RFC 9112 section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .fields import FieldLine, HeaderFields

#: The result for a Content-Length that is not one number.
INVALID: Final = -1
_MAX_DIGITS: Final = 18
_NO_CONTENT: Final = 204
_NOT_MODIFIED: Final = 304
_FINAL: Final = 200
_FRAMING: Final = frozenset({"content-length", "transfer-encoding"})


class FramingError(ValueError):
    """The end of the body of this message can't be determined."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Framing:
    """How the body of a response is delimited: by chunks, by a length, or by the connection's end.

    `contradictory` is true if the head allows several interpretations. Two recipients could then
    see different bodies, so the response must not be stored.
    """

    chunked: bool
    length: int | None
    contradictory: bool = False


def has_no_body(status: int) -> bool:
    """Return whether a response with this status never has a body (RFC 9110 section 6.4.1)."""
    return status < _FINAL or status in {_NO_CONTENT, _NOT_MODIFIED}


def content_length(fields: HeaderFields) -> int | None:
    """Return Content-Length; None if it is absent, INVALID if it is not one number."""
    lines = fields.lines("content-length")
    if not lines:
        return None
    values = {value.strip(" \t") for line in lines for value in line.split(",")}
    value = values.pop() if len(values) == 1 else ""
    valid = value.isascii() and value.isdigit() and len(value) <= _MAX_DIGITS
    return int(value) if valid else INVALID


def of_response(fields: HeaderFields, *, http_1_0: bool = False) -> Framing:
    """Return the framing of a response that may have a body (RFC 9112 section 6.3).

    Raises FramingError for a transfer coding that was not requested, and for a Content-Length that
    is not one number.
    """
    length = content_length(fields)
    if "transfer-encoding" not in fields:
        if length == INVALID:
            value = fields.combined("content-length")
            raise FramingError(f"The Content-Length {value[:100]!r} is not one number.")
        return Framing(chunked=False, length=length)
    codings = fields.combined("transfer-encoding")
    if codings.lower() != "chunked":
        raise FramingError(f"The transfer coding {codings[:100]!r} was not requested.")
    return Framing(chunked=True, length=None, contradictory=http_1_0 or length is not None)


def repaired(status: int, pairs: Iterable[FieldLine], length: int | None) -> list[FieldLine]:
    """Return the header lines of a response without a wrong Content-Length.

    `length` is the result of `content_length`. Without a length the server uses chunks or closes
    the connection.
    """
    pairs = list(pairs)
    framing = [pair for pair in pairs if pair[0].lower() in _FRAMING]
    if not framing:
        return pairs
    coded = any(name.lower() == "transfer-encoding" for name, _ in framing)
    allowed = not has_no_body(status) or status == _NOT_MODIFIED
    if coded or not allowed or length in {None, INVALID}:
        return [pair for pair in pairs if pair not in framing]
    if len(framing) == 1 and framing[0][1] == str(length):
        return pairs
    return [*(pair for pair in pairs if pair not in framing), ("Content-Length", str(length))]
