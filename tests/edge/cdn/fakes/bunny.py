"""A bunny.net that refuses what bunny.net refuses."""

from __future__ import annotations

import json
import re

from .server import Asked, Bucket, Edge, Reply, said

ZONE = "4711"
KEY = "bunny-k3y-of-the-account"


class Bunny(Edge):
    """One account with one pull zone."""

    def __init__(self) -> None:
        super().__init__()
        self.hostnames = ["www.example.org", "example.b-cdn.net"]
        self.calls = Bucket(self.clock, per_second=5, burst=120)

    def refill(self) -> None:
        """Fill the bucket."""
        self.calls.refill()
        self.hostnames = ["www.example.org", "example.b-cdn.net"]

    def answer(self, asked: Asked) -> Reply:
        """Tell of the zone, or purge."""
        if asked.headers["AccessKey"] != KEY:
            return said(401, {"ErrorKey": "unauthorized", "Message": "The request is unauthorized"})
        match = re.fullmatch(r"/pullzone/(\d+)(/purgeCache)?", asked.target)
        if not match or match[1] != ZONE:
            return said(404, {"ErrorKey": "pullzone.not_found", "Message": "No such pull zone"})
        if not match[2]:
            names = [{"Value": name} for name in self.hostnames]
            return said(200, {"Id": int(ZONE), "Hostnames": names})
        return self._purged(asked)

    def _purged(self, asked: Asked) -> Reply:
        if not self.calls.take():
            return said(429, {"Message": "Too many requests"}, Retry_After="1")
        if not asked.body:
            self.forget(self.pages)
            return Reply(status=204)
        if asked.headers["Content-Type"] != "application/json":
            return said(415, {"Message": "Unsupported media type"})
        body = json.loads(asked.body)
        tag = body.pop("CacheTag", None)
        if (
            body
            or not isinstance(tag, str)
            or not 1 <= len(tag) <= 1024
            or not re.fullmatch(r"[!-+\--~]+", tag)
        ):
            return said(400, {"Field": "CacheTag", "Message": "The tag is not valid"})
        self.forget(self.tagged([tag]))
        return Reply(status=204)
