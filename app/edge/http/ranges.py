"""Ranges: the part of a body that a Range field asks for (RFC 9110 section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SPEC: Final = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)
#: More parts than this are not sent one by one (section 14.2 warns of them).
MAX_RANGES: Final = 4
#: More than this many, joined or not, is nobody's wish.
_MOST_ASKED: Final = 64
_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ByteRange:
    """The bytes from `start` up to, not including, `stop`, of `length` in all."""

    start: int
    stop: int
    length: int

    def __str__(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.length}"


class RangeNotSatisfiableError(ValueError):
    """No byte that was asked for exists: the answer is 416."""


def select_range(header: str, length: int) -> ByteRange | None:
    """Return the one part that is asked for, neighbours joined; None means: send everything.

    Raises UnsatisfiableError when the field is right and nothing fits.
    """
    ranges = select_ranges(header, length, limit=1)
    return ranges[0] if ranges else None


def select_ranges(header: str, length: int, *, limit: int = MAX_RANGES) -> tuple[ByteRange, ...]:
    """Return the parts that are asked for, neighbours joined; none means: send everything.

    Whatever is malformed, in another unit or of too many parts is ignored, as section 14.2
    allows. Raises UnsatisfiableError when the field is right and nothing fits.
    """
    unit, equals, specs = header.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes" or len(header) > _LONGEST:
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
    """Return the satisfiable spans; None when one is malformed."""
    range_specs = [spec.strip(" \t") for spec in specs.split(",")]
    range_specs = [spec for spec in range_specs if spec]
    if not range_specs or len(range_specs) > _MOST_ASKED:
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
    """Return the spans as they were asked for, or in order when some of them touch."""
    coalesced: list[tuple[int, int]] = []
    for start, stop in sorted(spans):
        if coalesced and start <= coalesced[-1][1]:
            coalesced[-1] = coalesced[-1][0], max(stop, coalesced[-1][1])
        else:
            coalesced.append((start, stop))
    return spans if len(coalesced) == len(spans) else coalesced
