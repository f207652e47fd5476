"""A cache that understands PURGE of a URL, and with `/*` of all."""

from __future__ import annotations

import re

from .server import Asked, Edge, Reply

_TARGET = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
"""A request target as RFC 9112 and RFC 3986 have it."""

SECRET = "s3cret-of-the-cache"


class PurgingCache(Edge):
    """Keeps the pages of one site, by its name."""

    def answer(self, asked: Asked) -> Reply:
        """Purge what is there."""
        if asked.method != "PURGE":
            return Reply(status=405)
        if asked.headers["X-Purge-Secret"] != SECRET:
            return Reply(status=403)
        if asked.headers["Host"] != "www.example.org":
            return Reply(status=404)
        if not _TARGET.fullmatch(asked.target):
            return Reply(status=400)
        if asked.target == "/*":
            self.forget(self.pages)
            return Reply(body=b"all purged")
        found = asked.target in self.pages
        self.forget([asked.target])
        return Reply(status=200 if found else 404)
