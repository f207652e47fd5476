"""Select the parts of a body that a Range field requests (RFC 9110 section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SPEC: Final = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)
#: The maximum number of parts in one response (section 14.2 warns of many).
MAX_RANGES: Final = 4
#: A Range with more parts than this is ignored, even if they can be coalesced.
_MAX_REQUESTED_RANGES: Final = 64
_MAX_LENGTH: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """The bytes from `start` up to, not including, `stop`, of `length` in all."""

    start: int
    stop: int
    length: int

    def __str__(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.length}"


class RangeNotSatisfiableError(ValueError):
    """No requested byte exists: the response is a 416."""


def select_range(header: str, length: int) -> ByteRange | None:
    """Return the single requested part, after coalescing; None means the whole body.

    Raises RangeNotSatisfiableError if the field is valid and no part exists.
    """
    ranges = select_ranges(header, length, limit=1)
    return ranges[0] if ranges else None


def select_ranges(header: str, length: int, *, limit: int = MAX_RANGES) -> tuple[ByteRange, ...]:
    """Return the requested parts, after coalescing; an empty result means the whole body.

    A field that is malformed, in another unit or with too many parts is ignored, as section 14.2
    allows. Raises RangeNotSatisfiableError if the field is valid and no part exists.
    """
    unit, equals, specs = header.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes" or len(header) > _MAX_LENGTH:
        return ()
    spans = _spans(specs, length)
    if spans is None:
        return ()
    if not spans:
        raise RangeNotSatisfiableError(f"No byte of {specs!r} is among {length}.")
    coalesced = _coalesce(spans)
    if len(coalesced) > limit:
        return ()
    return tuple(ByteRange(start=start, stop=stop, length=length) for start, stop in coalesced)


def _spans(specs: str, length: int) -> list[tuple[int, int]] | None:
    """Return the satisfiable ranges; None if one is malformed."""
    range_specs = [spec.strip(" \t") for spec in specs.split(",")]
    range_specs = [spec for spec in range_specs if spec]
    if not range_specs or len(range_specs) > _MAX_REQUESTED_RANGES:
        return None
    spans: list[tuple[int, int]] = []
    for spec in range_specs:
        match = _SPEC.fullmatch(spec)
        if not match or spec == "-" or _is_inverted(match):
            return None
        start, stop = _bounds(match, length)
        if start < stop:
            spans.append((start, stop))
    return spans


def _is_inverted(match: re.Match[str]) -> bool:
    return bool(match[1] and match[2]) and int(match[1]) > int(match[2])


def _bounds(match: re.Match[str], length: int) -> tuple[int, int]:
    if not match[1]:
        return max(0, length - int(match[2])), length
    return int(match[1]), min(length, int(match[2]) + 1) if match[2] else length


def _coalesce(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the ranges as requested, or sorted and merged if some overlap or touch."""
    coalesced: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if coalesced and start <= coalesced[-1][1]:
            coalesced[-1] = coalesced[-1][0], max(stop, coalesced[-1][1])
        else:
            coalesced.append((start, stop))
    return spans if len(coalesced) == len(spans) else coalesced
