"""Entity tags, modification dates and preconditions (RFC 9110 sections 8.8 and 13)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from . import dates

if TYPE_CHECKING:
    from .fields import HeaderFields

_TAG: Final = re.compile(r'(W/)?"([\x21\x23-\x7e\x80-\xff]*)"')
_LIST: Final = re.compile(r'[ \t,]*((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*(?=,|$)')
_EMPTY: Final = re.compile(r"[ \t,]*$")
#: A Last-Modified that is this many seconds before Date is strong (RFC 9110 section 8.8.2.2).
_STRONG_AFTER: Final = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class ETag:
    """An entity tag: the text between the quotes, and whether it is weak."""

    opaque: str
    weak: bool = False

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """Parse one entity tag; return None if it is invalid."""
        match = _TAG.fullmatch(text or "")
        return cls(opaque=match[2], weak=bool(match[1])) if match else None

    def matches_strongly(self, other: ETag) -> bool:
        """Compare strongly, for Range and If-Match: both strong and equal."""
        return not self.weak and not other.weak and self.opaque == other.opaque

    def matches_weakly(self, other: ETag) -> bool:
        """Compare weakly, for If-None-Match: the opaque texts are equal."""
        return self.opaque == other.opaque

    def for_coding(self, coding: str) -> ETag:
        """Return the tag of the same page in a content coding that the gateway produced."""
        return type(self)(opaque=f"{self.opaque};{coding}", weak=self.weak)

    def __str__(self) -> str:
        return f'W/"{self.opaque}"' if self.weak else f'"{self.opaque}"'


def parse_etags(text: str) -> tuple[ETag, ...]:
    """Parse a list of entity tags; return none if any part is invalid."""
    etags: list[ETag] = []
    position = 0
    while match := _LIST.match(text, position):
        tag = ETag.parse(match[1])
        if tag is not None:
            etags.append(tag)
        position = match.end()
    return tuple(etags) if _EMPTY.match(text, position) else ()


def evaluate_if_none_match(header: str, etag: str | None) -> bool:
    """Evaluate If-None-Match (section 13.1.2); false means that the client has this version.

    An invalid tag without quotes from an origin matches the same text.
    """
    header = header.strip(" \t")
    if header in {"*", etag}:
        return False
    own = ETag.parse(etag)
    return own is None or not any(tag.matches_weakly(own) for tag in parse_etags(header))


def evaluate_if_modified_since(header: str, modified: int | None, *, now: float) -> bool:
    """Evaluate If-Modified-Since (section 13.1.3); true for an invalid date."""
    since = dates.parse_http_date(header, now=now)
    return since is None or modified is None or modified > since


def evaluate_if_range(header: str, fields: HeaderFields, etag: ETag | None, *, now: float) -> bool:
    """Evaluate If-Range (section 13.1.5): true only for an equal strong validator."""
    header = header.strip(" \t")
    if_range = ETag.parse(header)
    if if_range is not None:
        return etag is not None and if_range.matches_strongly(etag)
    since = dates.parse_http_date(header, now=now)
    modified = dates.parse_http_date(fields.single("last-modified"), now=now)
    date = dates.parse_http_date(fields.first("date"), now=now)
    if since is None or modified is None or date is None:
        return False
    return since == modified and date - modified >= _STRONG_AFTER


def matches_stored(newer: HeaderFields, stored: HeaderFields) -> bool:
    """Return whether a 304 or HEAD is about the stored response (RFC 9111 section 4.3.4).

    Its validators must equal the stored ones; without any it is about the stored response.
    """
    if "etag" in newer:
        return _etags_match(newer.first("etag"), stored.first("etag"))
    modified = newer.first("last-modified")
    return modified is None or modified == stored.first("last-modified")


def _etags_match(newer: str | None, stored: str | None) -> bool:
    tag, stored_tag = ETag.parse(newer), ETag.parse(stored)
    if tag is None or stored_tag is None:
        return newer == stored
    return tag.matches_weakly(stored_tag) if tag.weak else tag.matches_strongly(stored_tag)
