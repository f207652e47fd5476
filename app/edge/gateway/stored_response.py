"""Stored: one response the gateway keeps, with what a HIT needs worked out beforehand.

Instants are epoch seconds and spans are seconds here: they are compared on every HIT.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Final

from ..http import dates
from ..http.fields import HeaderFields

Headers = tuple[tuple[str, str], ...]

#: Of a 304 (RFC 9110 section 15.4.5) these are left out: they describe the content that isn't sent.
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
_MAGIC: Final = b"broadsheet stored 4\n"
_CHECK: Final = 4


class StoredFormatError(ValueError):
    """The bytes were not written by `encode`, or not all of them are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyInfo:
    """One content coding in which the response's body is kept."""

    coding: str
    length: int
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Representation:
    """What is said of one body: complete header lists for a 200 and a 304, Age apart."""

    body: BodyInfo
    headers: list[tuple[str, str]]
    not_modified: list[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredResponse:
    """One variant of one URL: its head, its times and its verdict; the bodies are in the store.

    `headers` go to readers, `internal` are kept but never shown; neither holds a hop-by-hop or
    per-request field, Age, or what a body has of its own (Content-Length; ETag and Content-Encoding
    too where the gateway made codings). `vary` is what it was selected with: lower-case request
    field names and normalised values, `None` for an absent one.
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
    #: When the response was made or last validated by the origin: now - born is its Age.
    generated_at: float
    #: Seconds from `born` for which it is fresh.
    lifetime: float
    #: Never used without validation (no-cache).
    requires_validation: bool = False
    #: Never used stale (must-revalidate, proxy-revalidate, s-maxage).
    forbids_stale: bool = False
    #: Seconds after `lifetime` in which it may be used while it is refreshed.
    stale_while_revalidate: float = 0
    #: Seconds after `lifetime` in which it may be used instead of an error.
    stale_if_error: float = 0
    #: As new as a fresh answer for as long as it is fresh: purges tell of every change.
    resets_age: bool = False
    #: To be packed, which nobody has done yet.
    needs_compression: bool = False
    #: Date and Expires of a vouched one, which are said anew each time, and the span between them.
    date_fields: Headers = field(init=False, compare=False, repr=False)
    expires_after: int | None = field(init=False, compare=False, repr=False)
    #: The status line a WSGI server wants, and an answer for each body.
    status_line: str = field(init=False, compare=False, repr=False)
    representations: dict[str, Representation] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "status_line", f"{self.status:03} {self.reason}")
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
        """All stored lines, with the ETag that the origin gave."""
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
    """Return the bytes from which `decode` makes an equal value."""
    values = {name: getattr(stored, name) for name in _FIELDS}
    values["bodies"] = [[body.coding, body.length, body.etag] for body in stored.bodies]
    payload = _JSON.encode(values).encode("ascii")
    return _MAGIC + zlib.crc32(payload).to_bytes(_CHECK) + payload


@lru_cache(maxsize=512)
def decode(data: bytes) -> StoredResponse:
    """Return what `encode` was given; remembered, as the same bytes mean the same value.

    Raises ForeignBytesError for bytes of another kind, version or length: nothing is stored there.
    """
    start = len(_MAGIC) + _CHECK
    payload = data[start:]
    if data[: len(_MAGIC)] != _MAGIC:
        raise StoredFormatError("Not a response stored by this version of the gateway.")
    if zlib.crc32(payload).to_bytes(_CHECK) != data[len(_MAGIC) : start]:
        raise StoredFormatError("A stored response is torn: its checksum is wrong.")
    try:
        return _from_json(json.loads(payload))
    except (ValueError, TypeError, KeyError) as error:
        raise StoredFormatError("A stored response does not have the fields it should.") from error


def _from_json(values: dict[str, list[list[str]]]) -> StoredResponse:
    pairs = {name: _pairs(values[name]) for name in ("headers", "internal_headers", "vary")}
    bodies = tuple(
        BodyInfo(coding=coding, length=int(length), etag=etag)
        for coding, length, etag in values.pop("bodies")
    )
    return StoredResponse(**{**values, **pairs}, bodies=bodies)  # type: ignore[arg-type] # made by encode


def _pairs(lists: list[list[str]]) -> Headers:
    return tuple((name, value) for name, value in lists)
