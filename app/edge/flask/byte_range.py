"""Send the requested range of a response that the view has in memory (RFC 9110 section 14.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from ..http import ranges, validators
from ..http.fields import HeaderFields

if TYPE_CHECKING:
    from flask import Response

_NO_FIELDS = HeaderFields(())


def apply_range(response: Response, body: bytes) -> None:
    """Make a 206 with the range of the request or a 416, if the Range header applies.

    `response` has the ETag of `body` and no Last-Modified: a date in If-Range never matches.
    """
    etag = validators.ETag.parse(response.headers.get("ETag"))
    if etag is None or not _range_applies(etag):
        return
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


def _range_applies(etag: validators.ETag) -> bool:
    """Return whether the Range header applies (RFC 9110 §13.2.2 and §14.2)."""
    headers = request.headers
    if request.method != "GET" or "Range" not in headers or "If-Match" in headers:
        return False
    if not validators.evaluate_if_none_match(headers.get("If-None-Match", ""), str(etag)):
        return False
    condition = headers.get("If-Range")
    return condition is None or validators.evaluate_if_range(condition, _NO_FIELDS, etag, now=0)
