"""A fake of bunny.net that refuses the same calls."""

from __future__ import annotations

import json
import re

from .server import Bucket, FakeEdge, FakeRequest, FakeResponse, json_response

ZONE = "4711"
KEY = "bunny-k3y-of-the-account"


class Bunny(FakeEdge):
    """One account with one pull zone."""

    def __init__(self) -> None:
        super().__init__()
        self.hostnames = ["www.example.org", "example.b-cdn.net"]
        self.calls = Bucket(self.clock, per_second=5, burst=120)

    def refill(self) -> None:
        """Fill the bucket."""
        self.calls.refill()
        self.hostnames = ["www.example.org", "example.b-cdn.net"]

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Return the pull zone, or purge."""
        if request.headers["AccessKey"] != KEY:
            return json_response(
                401, {"ErrorKey": "unauthorized", "Message": "The request is unauthorized"}
            )
        match = re.fullmatch(r"/pullzone/(\d+)(/purgeCache)?", request.target)
        if not match or match[1] != ZONE:
            return json_response(
                404, {"ErrorKey": "pullzone.not_found", "Message": "No such pull zone"}
            )
        if not match[2]:
            names = [{"Value": name} for name in self.hostnames]
            return json_response(200, {"Id": int(ZONE), "Hostnames": names})
        return self._purge(request)

    def _purge(self, request: FakeRequest) -> FakeResponse:
        if not self.calls.take():
            return json_response(429, {"Message": "Too many requests"}, Retry_After="1")
        if not request.body:
            self.forget(self.pages)
            return FakeResponse(status=204)
        if request.headers["Content-Type"] != "application/json":
            return json_response(415, {"Message": "Unsupported media type"})
        body = json.loads(request.body)
        tag = body.pop("CacheTag", None)
        if (
            body
            or not isinstance(tag, str)
            or not 1 <= len(tag) <= 1024
            or not re.fullmatch(r"[!-+\--~]+", tag)
        ):
            return json_response(400, {"Field": "CacheTag", "Message": "The tag is not valid"})
        self.forget(self.urls_with_tags([tag]))
        return FakeResponse(status=204)
