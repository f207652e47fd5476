"""Find where an HTTP/1 request ends in the bytes received so far (RFC 9112 sections 6 and 7).

Nothing is validated here. A request whose length is in doubt is passed to gunicorn's parser with
the bytes at hand, and its connection is closed after the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

_LENGTH_FIELDS: Final = re.compile(
    rb"\r\n(content-length|transfer-encoding|expect)([ \t]*):[ \t]*([^\r\n]*)", re.IGNORECASE
)
_BARE_LINE_FEED: Final = re.compile(rb"(?<!\r)\n")
_CHUNK_SIZE: Final = re.compile(rb"[0-9a-fA-F]{1,16}")
_LONGEST_SIZE_LINE: Final = 8190
_DIGITS: Final = 18
_HEAD_END: Final = b"\r\n\r\n"


class Progress(Enum):
    """How much of a request has arrived."""

    HEAD = "the head is incomplete"
    BODY = "the body is incomplete"
    COMPLETE = "the request is complete, or gunicorn's parser has to refuse it"
    TOO_LARGE = "the body exceeds the limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bytes that a request line, a head and a body may have."""

    line: int
    head: int
    body: int

    @property
    def chunked(self) -> int:
        """The bytes that a chunked body may take on the wire, with its chunk sizes and trailers."""
        return 2 * self.body + 65536


@dataclass(slots=True, kw_only=True)
class Framing:
    """The state of one request; `advance` is called with the whole buffer after each read."""

    limits: Limits
    end: int = 0
    """Where the request ends in the buffer, once it is complete."""
    closes: bool = False
    """True where the end is in doubt: nothing after this request may be read as another one."""
    expects_continue: bool = False
    """True where the client waits for `100 Continue` before it sends the body."""
    _head_end: int = 0
    _position: int = 0
    _body_length: int | None = 0
    _chunked_length: int = field(default=0, repr=False)
    _in_trailers: bool = False

    def advance(self, buffer: bytearray) -> Progress:
        """Return how much of the request the buffer holds."""
        if not self._head_end:
            progress = self._advance_head(buffer)
            if progress is not Progress.BODY:
                return progress
        if self._body_length is None:
            return self._advance_chunks(buffer)
        self.end = self._head_end + self._body_length
        return Progress.COMPLETE if len(buffer) >= self.end else Progress.BODY

    def _advance_head(self, buffer: bytearray) -> Progress:
        position = buffer.find(_HEAD_END, max(0, self._position - 3))
        if position >= 0:
            self._head_end = self._position = position + len(_HEAD_END)
            return self._frame_body(bytes(buffer[: self._head_end]))
        if self._head_is_refused(buffer):
            return self._in_doubt(len(buffer))
        self._position = len(buffer)
        return Progress.HEAD

    def _head_is_refused(self, buffer: bytearray) -> bool:
        """Tell whether gunicorn's parser refuses this incomplete head, whichever bytes follow."""
        line_end = buffer.find(b"\r\n", 0, self.limits.line + 4)
        return (
            (line_end < 0 and len(buffer) > self.limits.line + 4)
            or len(buffer) > self.limits.line + self.limits.head
            or _BARE_LINE_FEED.search(buffer, self._position) is not None
        )

    def _frame_body(self, head: bytes) -> Progress:
        """Read the length of the body from the head."""
        fields: dict[bytes, list[bytes]] = {}
        spaced = False
        for match in _LENGTH_FIELDS.finditer(head):
            spaced = spaced or bool(match[2])  # gunicorn refuses a space before the colon
            fields.setdefault(match[1].lower(), []).append(match[3].strip(b" \t"))
        lengths = fields.get(b"content-length", [])
        codings = fields.get(b"transfer-encoding", [])
        expectations = {value.lower() for value in fields.get(b"expect", [])}
        self.expects_continue = bool(expectations) and b" HTTP/1.1\r\n" in head
        if spaced or len(lengths) + len(codings) > 1 or expectations - {b"100-continue"}:
            return self._in_doubt(self._head_end)
        if codings:
            return self._frame_chunks(codings[0])
        return self._frame_length(lengths[0]) if lengths else Progress.BODY

    def _frame_chunks(self, codings: bytes) -> Progress:
        if codings.rpartition(b",")[2].strip(b" \t").lower() != b"chunked":
            return self._in_doubt(self._head_end)
        self._body_length = None
        return Progress.BODY

    def _frame_length(self, value: bytes) -> Progress:
        if not value.isdigit():
            return self._in_doubt(self._head_end)
        if len(value.lstrip(b"0")) > _DIGITS or int(value) > self.limits.body:
            return self._too_large(self._head_end)
        self._body_length = int(value)
        return Progress.BODY

    def _advance_chunks(self, buffer: bytearray) -> Progress:
        """Skip the chunks that have arrived; `_position` is where the next size line begins."""
        while not self._in_trailers and self._position < len(buffer):
            line_end = buffer.find(b"\r\n", self._position, self._position + _LONGEST_SIZE_LINE)
            if line_end < 0:
                if len(buffer) - self._position >= _LONGEST_SIZE_LINE:
                    return self._in_doubt(len(buffer))
                break
            size = _CHUNK_SIZE.match(buffer, self._position, line_end)
            if size is None:
                return self._in_doubt(len(buffer))
            self._skip_chunk(int(size[0], 16), line_end + 2)
        if self._chunked_length > self.limits.body or len(buffer) > self._chunked_limit:
            return self._too_large(len(buffer))
        return self._advance_trailers(buffer) if self._in_trailers else Progress.BODY

    @property
    def _chunked_limit(self) -> int:
        return self._head_end + self.limits.chunked

    def _skip_chunk(self, size: int, start: int) -> None:
        self._chunked_length += size
        self._in_trailers = size == 0
        self._position = start + (size + 2 if size else 0)

    def _advance_trailers(self, buffer: bytearray) -> Progress:
        if buffer.startswith(b"\r\n", self._position):
            self.end = self._position + 2
            return Progress.COMPLETE
        trailer_end = buffer.find(_HEAD_END, self._position)
        if trailer_end >= 0:
            self.end = trailer_end + len(_HEAD_END)
            return Progress.COMPLETE
        if len(buffer) - self._position > self.limits.head:
            return self._in_doubt(len(buffer))
        return Progress.BODY

    def _in_doubt(self, end: int) -> Progress:
        """Pass these bytes to gunicorn's parser, which refuses them or runs out of bytes."""
        self.end = end
        self.closes = True
        return Progress.COMPLETE

    def _too_large(self, end: int) -> Progress:
        self.end = end
        self.closes = True
        return Progress.TOO_LARGE
