"""A node of Varnish with the VCL that we ship, as far as a purge goes."""

from __future__ import annotations

from .server import Asked, Edge, Reply

SECRET = "s3cret-of-the-nodes"


class VarnishNode(Edge):
    """Takes lines of keys that are not too long."""

    def answer(self, asked: Asked) -> Reply:
        """Purge by key."""
        if asked.method != "PURGE":
            return Reply(status=405)
        if asked.headers["Authorization"] != f"Bearer {SECRET}":
            return Reply(status=403, body=b"Forbidden")
        for name, soft in (("xkey-purge", False), ("xkey-softpurge", True)):
            keys = asked.headers[name]
            if keys is not None:
                return self._purged(name, keys, soft=soft)
        return Reply(status=405, body=b"Name the keys")

    def _purged(self, name: str, keys: str, *, soft: bool) -> Reply:
        if len(name) + 2 + len(keys) > 8192 or len(keys.split()) > 500:
            return Reply(status=400)
        found = list(self.pages) if keys == "all" else self.tagged(keys.split())
        self.forget(found, soft=soft)
        return Reply(headers={"Content-Type": "text/plain"}, body=f"{len(found)}".encode())
