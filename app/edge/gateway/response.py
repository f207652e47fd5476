"""Build the response to one request from a stored response: 200, 206, 304, 416 or HEAD."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..http import codings, dates, ranges, validators
from ..http.fields import HeaderFields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..http.fields import FieldLine
    from .request import Request
    from .stored_response import Representation, StoredResponse

_SUCCESS = range(200, 300)
_PARTIAL = "206 Partial Content"


@dataclass(slots=True)
class GatewayResponse:
    """A response to one request; Age and Cache-Status are added last."""

    status_line: str
    headers: list[FieldLine]
    body: Iterable[bytes]


def build_text_response(line: str, sentence: str) -> GatewayResponse:
    """Return a no-store response of the gateway itself with one sentence as its body."""
    body = f"{sentence}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return GatewayResponse(line, headers, (body,))


def build_response(
    request: Request, stored: StoredResponse, body_of: Callable[[str], bytes | None], *, now: float
) -> GatewayResponse | None:
    """Return the response; None if the required body is no longer stored."""
    representations = stored.representations
    if len(representations) == 1:
        (representation,) = representations.values()
    else:
        representation = representations[
            codings.choose_coding(request.header("accept-encoding"), representations)
        ]
    if request.is_conditional:
        if _is_not_modified(request, stored, representation, now):
            return GatewayResponse("304 Not Modified", representation.not_modified.copy(), ())
        if not request.is_head and stored.status == _SUCCESS.start:
            return _range_response(request, stored, representation, body_of, now)
    if request.is_head:
        return GatewayResponse(stored.status_line, representation.headers.copy(), ())
    body = body_of(representation.body.coding)
    return (
        None
        if body is None
        else GatewayResponse(stored.status_line, representation.headers.copy(), (body,))
    )


def _is_not_modified(
    request: Request, stored: StoredResponse, representation: Representation, now: float
) -> bool:
    """Evaluate the reader's validators, entity tags first (RFC 9110 section 13.2.2)."""
    if stored.status not in _SUCCESS:
        return False
    none_match = request.header("if-none-match")
    if none_match is not None:
        return not validators.evaluate_if_none_match(none_match, representation.body.etag)
    since = request.header("if-modified-since")
    if since is None:
        return False
    return not validators.evaluate_if_modified_since(since, _last_modified(stored, now), now=now)


def _last_modified(stored: StoredResponse, now: float) -> int:
    """Return Last-Modified, else Date, else when it was received (RFC 9111 section 4.3.2)."""
    fields = HeaderFields(stored.headers)
    for name in ("last-modified", "date"):
        instant = dates.parse_http_date(fields.first(name), now=now)
        if instant is not None:
            return instant
    return int(stored.received_at)


def _range_response(
    request: Request,
    stored: StoredResponse,
    representation: Representation,
    body_of: Callable[[str], bytes | None],
    now: float,
) -> GatewayResponse | None:
    """Return the requested ranges, or the whole body if Range or If-Range require that."""
    body = body_of(representation.body.coding)
    if body is None:
        return None
    everything = GatewayResponse("200 OK", representation.headers.copy(), (body,))
    range_header, condition = request.header("range"), request.header("if-range")
    if range_header is None:
        return everything
    if condition is not None:
        tag = validators.ETag.parse(representation.body.etag)
        if not validators.evaluate_if_range(condition, HeaderFields(stored.headers), tag, now=now):
            return everything
    try:
        parts = ranges.select_ranges(range_header, len(body))
    except ranges.RangeNotSatisfiableError:
        error_response = build_text_response(
            "416 Range Not Satisfiable", f"The page has {len(body)} bytes."
        )
        error_response.headers.append(("Content-Range", f"bytes */{len(body)}"))
        return error_response
    if len(parts) > 1:
        return _multipart_ranges(representation, body, parts)
    return _single_range(representation, body, parts[0]) if parts else everything


def _single_range(answer: Representation, body: bytes, part: ranges.ByteRange) -> GatewayResponse:
    content = body[part.start : part.stop]
    headers = [pair for pair in answer.headers if pair[0] != "Content-Length"]
    headers += [("Content-Range", str(part)), ("Content-Length", str(len(content)))]
    return GatewayResponse(_PARTIAL, headers, (content,))


def _multipart_ranges(
    answer: Representation, body: bytes, parts: tuple[ranges.ByteRange, ...]
) -> GatewayResponse:
    """Return multipart/byteranges (RFC 9110 section 14.6)."""
    boundary = secrets.token_hex(16)
    typed = [value for name, value in answer.headers if name.lower() == "content-type"]
    content = b"".join(
        b"".join(
            (
                f"--{boundary}\r\n".encode(),
                *(f"Content-Type: {value}\r\n".encode("latin-1") for value in typed),
                f"Content-Range: {part}\r\n\r\n".encode(),
                body[part.start : part.stop],
                b"\r\n",
            )
        )
        for part in parts
    )
    content += f"--{boundary}--\r\n".encode()
    left_out = {"content-length", "content-type"}
    headers = [pair for pair in answer.headers if pair[0].lower() not in left_out]
    headers += [
        ("Content-Type", f"multipart/byteranges; boundary={boundary}"),
        ("Content-Length", str(len(content))),
    ]
    return GatewayResponse(_PARTIAL, headers, (content,))


def close_body(body: Iterable[bytes]) -> None:
    """Close a body that is not read to its end."""
    closes = getattr(body, "close", None)
    if closes is not None:
        closes()
