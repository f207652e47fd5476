"""A cache that understands PURGE of a URL, and with `/*` of all."""

from __future__ import annotations

import re

from .server import FakeEdge, FakeRequest, FakeResponse

_TARGET = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
"""A request target as RFC 9112 and RFC 3986 have it."""

SECRET = "s3cret-of-the-cache"


class PurgingCache(FakeEdge):
    """Keeps the pages of one site, by its name."""

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Purge what is there."""
        if request.method != "PURGE":
            return FakeResponse(status=405)
        if request.headers["X-Purge-Secret"] != SECRET:
            return FakeResponse(status=403)
        if request.headers["Host"] != "www.example.org":
            return FakeResponse(status=404)
        if not _TARGET.fullmatch(request.target):
            return FakeResponse(status=400)
        if request.target == "/*":
            self.forget(self.pages)
            return FakeResponse(body=b"all purged")
        is_stored = request.target in self.pages
        self.forget([request.target])
        return FakeResponse(status=200 if is_stored else 404)
