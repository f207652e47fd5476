"""Send the requested range of a response that the view has in memory (RFC 9110 section 14.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from ..http import ranges

if TYPE_CHECKING:
    from flask import Response


def apply_range(response: Response, body: bytes) -> None:
    """Make a 206 with the range of the request, or a 416; call it if the Range header applies."""
    try:
        part = ranges.select_range(request.headers["Range"], len(body))
    except ranges.RangeNotSatisfiableError:
        response.status_code = 416
        response.set_data(b"")
        response.headers["Content-Range"] = f"bytes */{len(body)}"
        return
    if part is not None:
        response.status_code = 206
        response.set_data(body[part.start : part.stop])
        response.headers["Content-Range"] = str(part)
