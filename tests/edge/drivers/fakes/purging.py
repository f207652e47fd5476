"""A cache that understands PURGE of a URL, and with `/*` of all."""

from __future__ import annotations

from .server import Asked, Edge, Reply

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
        if asked.target == "/*":
            self.forget(self.pages)
            return Reply(body=b"all purged")
        found = asked.target in self.pages
        self.forget([asked.target])
        return Reply(status=200 if found else 404)
