"""Reply: what one reader is sent of a stored response: all of it, a part, 304, or the head."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..http import codings, dates, ranges, validators
from ..http.fields import Fields

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ..http.fields import Pair
    from .request import Request
    from .stored_response import Answer, Stored

_SUCCESS = range(200, 300)
_PARTIAL = "206 Partial Content"


@dataclass(slots=True)
class Reply:
    """A response that is ready to be started, but for Age and Cache-Status."""

    line: str
    headers: list[Pair]
    body: Iterable[bytes]


def own(line: str, sentence: str) -> Reply:
    """Return a reply of the gateway's own, in one sentence, that nobody stores."""
    body = f"{sentence}\n".encode()
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
    ]
    return Reply(line, headers, (body,))


def made(
    request: Request, stored: Stored, body_of: Callable[[str], bytes | None], *, now: float
) -> Reply | None:
    """Return the reply; None when the body that is needed is gone."""
    answers = stored.answers
    if len(answers) == 1:
        (answer,) = answers.values()
    else:
        answer = answers[codings.choose(request.header("accept-encoding"), answers)]
    if request.conditional:
        if _has_it_already(request, stored, answer, now):
            return Reply("304 Not Modified", answer.not_modified.copy(), ())
        if not request.is_head and stored.status == _SUCCESS.start:
            return _part(request, stored, answer, body_of, now)
    if request.is_head:
        return Reply(stored.line, answer.headers.copy(), ())
    body = body_of(answer.body.coding)
    return None if body is None else Reply(stored.line, answer.headers.copy(), (body,))


def _has_it_already(request: Request, stored: Stored, answer: Answer, now: float) -> bool:
    """Evaluate the reader's validators, entity tags first (RFC 9110 section 13.2.2)."""
    if stored.status not in _SUCCESS:
        return False
    none_match = request.header("if-none-match")
    if none_match is not None:
        return not validators.none_match(none_match, answer.body.etag)
    since = request.header("if-modified-since")
    if since is None:
        return False
    return not validators.modified_since(since, _modified(stored, now), now=now)


def _modified(stored: Stored, now: float) -> int:
    """Return Last-Modified, else Date, else when it was received (RFC 9111 section 4.3.2)."""
    fields = Fields(stored.headers)
    for name in ("last-modified", "date"):
        instant = dates.parse(fields.first(name), now=now)
        if instant is not None:
            return instant
    return int(stored.received_at)


def _part(
    request: Request,
    stored: Stored,
    answer: Answer,
    body_of: Callable[[str], bytes | None],
    now: float,
) -> Reply | None:
    """Return the parts asked for, or everything where Range or If-Range don't let it be parts."""
    body = body_of(answer.body.coding)
    if body is None:
        return None
    everything = Reply("200 OK", answer.headers.copy(), (body,))
    asked, condition = request.header("range"), request.header("if-range")
    if asked is None:
        return everything
    if condition is not None:
        tag = validators.ETag.parse(answer.body.etag)
        if not validators.same_range(condition, Fields(stored.headers), tag, now=now):
            return everything
    try:
        parts = ranges.parts(asked, len(body))
    except ranges.UnsatisfiableError:
        refused = own("416 Range Not Satisfiable", f"The page has {len(body)} bytes.")
        refused.headers.append(("Content-Range", f"bytes */{len(body)}"))
        return refused
    if len(parts) > 1:
        return _several(answer, body, parts)
    return _one(answer, body, parts[0]) if parts else everything


def _one(answer: Answer, body: bytes, part: ranges.Part) -> Reply:
    content = body[part.start : part.stop]
    headers = [pair for pair in answer.headers if pair[0] != "Content-Length"]
    headers += [("Content-Range", str(part)), ("Content-Length", str(len(content)))]
    return Reply(_PARTIAL, headers, (content,))


def _several(answer: Answer, body: bytes, parts: tuple[ranges.Part, ...]) -> Reply:
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
    return Reply(_PARTIAL, headers, (content,))


def close(body: Iterable[bytes]) -> None:
    """Tell an application that nobody reads its body, or no more of it."""
    closes = getattr(body, "close", None)
    if closes is not None:
        closes()
