"""Parse the header section of a message from bytes.

Lines that are not fields are skipped and reported: a parser of a foreign header never raises.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from .fields import is_name, is_value

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .fields import FieldLine

_WHITE_SPACE: Final = " \t"
_INVALID: Final = re.compile(r"[^\t\x20-\x7e\x80-\xff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """The fields of one message; `malformed` if a line had to be skipped or repaired."""

    pairs: tuple[FieldLine, ...]
    malformed: bool


def parse(lines: Iterable[bytes]) -> Section:
    """Return the fields of these lines, which end with LF and may be folded.

    White space before the colon is removed (RFC 9112 section 5.1). Each control character is
    replaced by a space (RFC 9110 section 5.5), and so is a fold (RFC 9112 section 5.2).
    """
    pairs: list[FieldLine] = []
    malformed = False
    for line in _unfolded(lines):
        name, colon, value = line.partition(":")
        cleaned = cleaned_value(value).strip(_WHITE_SPACE)
        malformed = malformed or not is_name(name) or not is_value(value)
        name = name.rstrip(_WHITE_SPACE)
        if colon and is_name(name):
            pairs.append((name, cleaned))
        else:
            malformed = True
    return Section(pairs=tuple(pairs), malformed=malformed)


def cleaned_value(value: str) -> str:
    """Return a field value or a reason phrase with a space for each invalid character."""
    return _INVALID.sub(" ", value)


def _unfolded(lines: Iterable[bytes]) -> Iterator[str]:
    """Yield each line without its end, joined with the folded lines that follow it."""
    pending: str | None = None
    for line in lines:
        text = line.decode("latin-1").removesuffix("\n").removesuffix("\r")
        if pending is not None and text.startswith((" ", "\t")):
            pending = " ".join((pending.rstrip(_WHITE_SPACE), text.strip(_WHITE_SPACE)))
            continue
        if pending is not None:
            yield pending
        pending = text
    if pending:
        yield pending
