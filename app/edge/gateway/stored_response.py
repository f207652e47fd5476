"""A stored response, with everything a HIT needs computed in advance, and its encoding as bytes.

Times are epoch seconds and durations are seconds, because they are compared on every HIT.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Final

from ..http import dates
from ..http.fields import HeaderFields
from ..name import NAME
from .language_list import find_languages

Headers = tuple[tuple[str, str], ...]

#: Fields left out of a 304 (RFC 9110 section 15.4.5): they describe the content, which isn't sent.
_CONTENT: Final = frozenset(
    {
        "content-encoding",
        "content-language",
        "content-length",
        "content-range",
        "content-type",
        "accept-ranges",
    }
)
_DATED: Final = frozenset({"date", "expires"})
_MAGIC: Final = f"{NAME} stored 4\n".encode()
_CHECK: Final = 4


class StoredFormatError(ValueError):
    """The bytes were not written by `encode`, or they are incomplete."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyInfo:
    """One content coding in which the response's body is stored."""

    coding: str
    length: int
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """The complete header lists of one body for a 200 and for a 304, without Age."""

    body: BodyInfo
    headers: list[tuple[str, str]]
    not_modified: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """One variant of one URL: header, times and flags; the bodies are stored separately.

    `headers` are sent to readers, `internal_headers` never. Neither contains hop-by-hop or
    per-request fields, Age, or the fields of a single body (Content-Length; also ETag and
    Content-Encoding if the gateway compressed it). `vary` holds the selecting request fields:
    lower-case names and normalised values, `None` for an absent field.
    """

    id: str
    status: int
    reason: str
    headers: Headers
    internal_headers: Headers = ()
    vary: tuple[tuple[str, str | None], ...] = ()
    bodies: tuple[BodyInfo, ...]
    requested_at: float
    received_at: float
    #: When the origin generated or last validated the response; now - generated_at is its Age.
    generated_at: float
    #: Seconds from `generated_at` for which it is fresh.
    lifetime: float
    #: Whether it must be validated before each use (no-cache).
    requires_validation: bool = False
    #: Whether it must not be used stale (must-revalidate, proxy-revalidate, s-maxage).
    forbids_stale: bool = False
    #: Seconds after `lifetime` in which it may be served while it is refreshed.
    stale_while_revalidate: float = 0
    #: Seconds after `lifetime` in which it may be served instead of an error.
    stale_if_error: float = 0
    #: Whether it is sent with `Age: 0` and a current `Date` while fresh: every change purges it.
    resets_age: bool = False
    #: Whether compressed bodies are still to be added.
    needs_compression: bool = False
    #: If `resets_age`: Date and Expires, which each hit replaces, and the seconds between them.
    date_fields: Headers = field(init=False, compare=False, repr=False)
    expires_after: int | None = field(init=False, compare=False, repr=False)
    #: The languages that the page is available in, if the application lists them.
    languages: tuple[str, ...] = field(init=False, compare=False, repr=False)
    #: The WSGI status line, and the header lists for each body.
    status_line: str = field(init=False, compare=False, repr=False)
    representations: dict[str, Representation] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status_line", f"{self.status:03} {self.reason}")
        lines = (*self.headers, *self.internal_headers)
        object.__setattr__(self, "languages", find_languages(lines))
        until = self._expires_delta() if self.resets_age else None
        date_names = {"date"} if until is None else {"date", "expires"}
        dated = tuple(
            pair for pair in self.headers if self.resets_age and pair[0].lower() in date_names
        )
        object.__setattr__(self, "expires_after", until)
        object.__setattr__(self, "date_fields", dated)
        object.__setattr__(
            self,
            "representations",
            {body.coding: self._representation(body) for body in self.bodies},
        )

    @property
    def fields(self) -> HeaderFields:
        """Return all stored lines, with the ETag of the origin."""
        etag = self.representations["identity"].body.etag
        return HeaderFields(
            [*self.headers, *self.internal_headers, *([("ETag", etag)] if etag else [])]
        )

    def _expires_delta(self) -> int | None:
        fields = HeaderFields(pair for pair in self.headers if pair[0].lower() in _DATED)
        expires = dates.parse_http_date(fields.single("expires"), now=self.received_at)
        date = dates.parse_http_date(fields.single("date"), now=self.received_at)
        return None if expires is None or date is None else expires - date

    def _representation(self, body: BodyInfo) -> Representation:
        headers = [pair for pair in self.headers if pair not in self.date_fields]
        if body.etag is not None:
            headers.append(("ETag", body.etag))
        if body.coding != "identity":
            headers.append(("Content-Encoding", body.coding))
        if self.status not in {204, 304}:
            headers.append(("Content-Length", str(body.length)))
        leave_out = _CONTENT | {"last-modified"} if body.etag is not None else _CONTENT
        not_modified = [pair for pair in headers if pair[0].lower() not in leave_out]
        return Representation(body=body, headers=headers, not_modified=not_modified)


_JSON: Final = json.JSONEncoder(separators=(",", ":"))
_FIELDS: Final = tuple(
    entry.name for entry in fields(StoredResponse) if entry.init and entry.name != "bodies"
)


def encode(stored: StoredResponse) -> bytes:
    """Return the value as bytes, for `decode`."""
    values = {name: getattr(stored, name) for name in _FIELDS}
    values["bodies"] = [[body.coding, body.length, body.etag] for body in stored.bodies]
    payload = _JSON.encode(values).encode("ascii")
    return _MAGIC + zlib.crc32(payload).to_bytes(_CHECK) + payload


@lru_cache(maxsize=512)
def decode(data: bytes) -> StoredResponse:
    """Return the value that `encode` was given; cached, because the same bytes give the same value.

    Raises StoredFormatError for bytes of another kind, version or length.
    """
    start = len(_MAGIC) + _CHECK
    payload = data[start:]
    if data[: len(_MAGIC)] != _MAGIC:
        raise StoredFormatError(
            "The bytes are not a response stored by this version of the gateway."
        )
    if zlib.crc32(payload).to_bytes(_CHECK) != data[len(_MAGIC) : start]:
        raise StoredFormatError("A stored response is damaged: its checksum is wrong.")
    try:
        return _from_json(json.loads(payload))
    except (ValueError, TypeError, KeyError) as error:
        raise StoredFormatError("A stored response does not have the expected fields.") from error


def _from_json(values: dict[str, list[list[str]]]) -> StoredResponse:
    pairs = {name: _pairs(values[name]) for name in ("headers", "internal_headers", "vary")}
    bodies = tuple(
        BodyInfo(coding=coding, length=int(length), etag=etag)
        for coding, length, etag in values.pop("bodies")
    )
    return StoredResponse(**{**values, **pairs}, bodies=bodies)  # type: ignore[arg-type] # made by encode


def _pairs(lists: list[list[str]]) -> Headers:
    return tuple((name, value) for name, value in lists)
