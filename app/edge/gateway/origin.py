"""Parse the response of an HTTP origin strictly, so that the cache never stores a misread message.

The standard library drops all fields after a malformed line, uses the first of two lengths,
reads a body with an unknown transfer coding as content, accepts a status such as `+200` or `2_00`,
and does not check what follows the data of a chunk.
"""

from __future__ import annotations

import http.client
import re
from typing import TYPE_CHECKING, Final

from ..http import framing, lines
from ..http.fields import HeaderFields

if TYPE_CHECKING:
    from ..http.fields import FieldLine
    from ..http.lines import Section

_INTERIM: Final = range(100, 200)
_MAX_INTERIM: Final = 16
_MAX_LINE_LENGTH: Final = 65_536
_MAX_LINES: Final = 200
_CRLF: Final = b"\r\n"
_CHUNK_SIZE: Final = re.compile(rb"([0-9A-Fa-f]{1,16})[ \t]*(?:;.*)?\r?\n", re.DOTALL)
_HTTP_1_0: Final = 10
_HTTP_1_1: Final = 11
_STATUS_LINE: Final = re.compile(
    rb"(HTTP/1\.[0-9])[ \t]+([1-9][0-9]{2})(?:[ \t]+(.*?))?[ \t]*\r?\n", re.DOTALL
)


class UpstreamResponse(http.client.HTTPResponse):
    """The final response of an origin, with its fields in `pairs`.

    `malformed` is true if its head had to be repaired or is contradictory. Another recipient could
    parse it differently, so it must not be stored.
    """

    pairs: tuple[FieldLine, ...] = ()
    malformed: bool = False

    def begin(self) -> None:
        """Read the head of the final response.

        Raises HTTPException or ValueError if it is invalid.
        """
        version, status, reason = self._read_final_status()
        section = self._read_section()
        fields = HeaderFields(section.pairs)
        self.code = self.status = status  # type: ignore[attr-defined, unused-ignore] # not in typeshed
        self.reason = lines.cleaned_value(reason)
        self.version = _HTTP_1_0 if version == "HTTP/1.0" else _HTTP_1_1
        self.headers = self.msg = http.client.HTTPMessage()
        self.pairs, self.malformed = section.pairs, section.malformed
        self.malformed = self.malformed or self.reason != reason
        self._frame(fields)

    def _frame(self, fields: HeaderFields) -> None:
        self.will_close, self.chunk_left = True, None  # type: ignore[attr-defined, unused-ignore] # not in typeshed
        if framing.has_no_body(self.status) or self._method == "HEAD":  # type: ignore[attr-defined] # not in typeshed
            self.chunked, self.length = False, 0  # type: ignore[attr-defined, unused-ignore] # not in typeshed
            return
        frame = framing.of_response(fields, http_1_0=self.version == _HTTP_1_0)
        self.chunked, self.length = frame.chunked, frame.length  # type: ignore[attr-defined, unused-ignore] # not in typeshed
        self.malformed = self.malformed or frame.contradictory

    def _read_final_status(self) -> tuple[str, int, str]:
        for _ in range(_MAX_INTERIM + 1):
            version, status, reason = self._read_status_line()
            if status not in _INTERIM:
                return version, status, reason
            self._read_section()
        raise http.client.HTTPException(f"More than {_MAX_INTERIM} interim responses.")

    def _read_status_line(self) -> tuple[str, int, str]:
        line = self.fp.readline(_MAX_LINE_LENGTH + 1)
        if not line:
            raise http.client.RemoteDisconnected("The origin closed the connection.")
        match = _STATUS_LINE.fullmatch(line)
        if match is None:
            raise http.client.BadStatusLine(line[:100].decode("latin-1"))
        return match[1].decode("ascii"), int(match[2]), (match[3] or b"").decode("latin-1")

    def _read_section(self) -> Section:
        raw_lines: list[bytes] = []
        while (line := self.fp.readline(_MAX_LINE_LENGTH + 1)) not in {b"\r\n", b"\n"}:
            if len(line) > _MAX_LINE_LENGTH:
                raise http.client.LineTooLong("header line")
            if not line.endswith(b"\n"):
                raise http.client.IncompleteRead(line)
            raw_lines.append(line)
            if len(raw_lines) > _MAX_LINES:
                raise http.client.HTTPException(f"More than {_MAX_LINES} header lines.")
        return lines.parse(raw_lines)

    def _get_chunk_left(self) -> int | None:
        """Return the bytes that remain of the current chunk; None after the last chunk."""
        if self.chunk_left == 0:  # type: ignore[attr-defined, unused-ignore] # not in typeshed
            end = self.fp.read(len(_CRLF))
            if end != _CRLF:
                raise _error_at_chunk_end(end)
            self.chunk_left = None
        remaining: int | None = super()._get_chunk_left()  # type: ignore[misc, unused-ignore] # not in typeshed
        return remaining

    def _read_next_chunk_size(self) -> int:
        """Return the size of the next chunk; raise HTTPException if it is invalid."""
        line = self.fp.readline(_MAX_LINE_LENGTH)
        match = _CHUNK_SIZE.fullmatch(line)
        if match is None:
            if line.endswith(b"\n"):
                raise http.client.HTTPException("The chunk size is invalid.")
            raise http.client.IncompleteRead(b"")
        return int(match[1], 16)


def _error_at_chunk_end(end: bytes) -> http.client.HTTPException:
    if len(end) < len(_CRLF):
        return http.client.IncompleteRead(b"")
    return http.client.HTTPException("The data of a chunk is longer than its size.")
