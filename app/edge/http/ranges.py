"""Ranges: the part of a body that a Range field asks for (RFC 9110 section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_SPEC: Final = re.compile(r"(\d{0,18})-(\d{0,18})", re.ASCII)
#: More parts than this is nobody's wish.
_MOST: Final = 64
_LONGEST: Final = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """The bytes from `start` up to, not including, `stop`, of `length` in all."""

    start: int
    stop: int
    length: int

    def __str__(self) -> str:
        return f"bytes {self.start}-{self.stop - 1}/{self.length}"


class UnsatisfiableError(ValueError):
    """No byte that was asked for exists: the answer is 416."""


def part(header: str, length: int) -> Part | None:
    """Return the one part that is asked for, neighbours joined; None means: send everything.

    Whatever is malformed, in another unit or made of parts that don't join is ignored, as
    section 14.2 allows. Raises UnsatisfiableError when the field is right and nothing fits.
    """
    unit, equals, specs = header.partition("=")
    if not equals or unit.strip(" \t").lower() != "bytes" or len(header) > _LONGEST:
        return None
    spans = _spans(specs, length)
    if spans is None:
        return None
    if not spans:
        raise UnsatisfiableError(f"No byte of {specs!r} is among {length}.")
    return _joined(spans, length)


def _spans(specs: str, length: int) -> list[tuple[int, int]] | None:
    """Return the satisfiable spans; None when one is malformed."""
    written = [spec.strip(" \t") for spec in specs.split(",")]
    written = [spec for spec in written if spec]
    if not written or len(written) > _MOST:
        return None
    spans: list[tuple[int, int]] = []
    for spec in written:
        match = _SPEC.fullmatch(spec)
        if not match or spec == "-" or _backwards(match):
            return None
        start, stop = _bounds(match, length)
        if start < stop:
            spans.append((start, stop))
    return spans


def _backwards(match: re.Match[str]) -> bool:
    return bool(match[1] and match[2]) and int(match[1]) > int(match[2])


def _bounds(match: re.Match[str], length: int) -> tuple[int, int]:
    if not match[1]:
        return max(0, length - int(match[2])), length
    return int(match[1]), min(length, int(match[2]) + 1) if match[2] else length


def _joined(spans: list[tuple[int, int]], length: int) -> Part | None:
    spans = sorted(spans)
    start, stop = spans[0]
    for further, end in spans[1:]:
        if further > stop:
            return None
        stop = max(stop, end)
    return Part(start=start, stop=stop, length=length)
