"""A node of Varnish with the VCL that we ship, as far as a purge goes."""

from __future__ import annotations

from .server import FakeEdge, FakeRequest, FakeResponse

SECRET = "s3cret-of-the-nodes"


class VarnishNode(FakeEdge):
    """Takes lines of keys that are not too long."""

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Purge by key."""
        if request.method != "PURGE":
            return FakeResponse(status=405)
        if request.headers["Authorization"] != f"Bearer {SECRET}":
            return FakeResponse(status=403, body=b"Forbidden")
        for name, soft in (("xkey-purge", False), ("xkey-softpurge", True)):
            keys = request.headers[name]
            if keys is not None:
                return self._purge(name, keys, soft=soft)
        return FakeResponse(status=405, body=b"Name the keys")

    def _purge(self, name: str, keys: str, *, soft: bool) -> FakeResponse:
        if len(name) + 2 + len(keys) > 8192 or len(keys.split()) > 500:
            return FakeResponse(status=400)
        urls = list(self.pages) if keys == "all" else self.urls_with_tags(keys.split())
        self.forget(urls, soft=soft)
        return FakeResponse(headers={"Content-Type": "text/plain"}, body=f"{len(urls)}".encode())
