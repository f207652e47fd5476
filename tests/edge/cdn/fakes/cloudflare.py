"""A fake of Cloudflare that refuses the same calls."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .server import Bucket, FakeEdge, FakeRequest, FakeResponse, json_response

ZONE = "0123456789abcdef0123456789abcdef"
TOKEN = "cf-t0ken-of-the-zone"
SITE = "https://www.example.org"
LONGEST_URL = 16_384
_URL = re.compile(r"https?://[A-Za-z0-9.:-]+/(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*")
"""A URL that is percent-encoded; `*` is a character like any other there."""

_BASE = "/client/v4"


@dataclass(slots=True, kw_only=True)
class Token:
    """A token and what it may do."""

    status: str = "active"
    may: set[str] = field(default_factory=lambda: {"purge", "read"})
    zones: set[str] = field(default_factory=lambda: {ZONE})


class Cloudflare(FakeEdge):
    """One account with one zone, on the free plan."""

    name = "example.org"

    def __init__(self) -> None:
        super().__init__()
        self.tokens = {TOKEN: Token()}
        self.calls = Bucket(self.clock, per_second=5 / 60, burst=25)
        self.urls = Bucket(self.clock, per_second=800, burst=800)

    @property
    def api(self) -> str:
        """Where the API begins."""
        return self.url + _BASE

    def refill(self) -> None:
        """Fill both buckets."""
        self.calls.refill()
        self.urls.refill()
        self.tokens = {TOKEN: Token()}
        self.name = "example.org"

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Verify the token, return the zone, or purge."""
        scheme, _, token = (request.headers["Authorization"] or "").partition(" ")
        if scheme != "Bearer" or not token:
            return error_response(400, 6003, "Invalid request headers")
        if request.target == f"{_BASE}/user/tokens/verify":
            return self._verify_token(token)
        match = re.fullmatch(rf"{_BASE}/zones/([^/]+)(/purge_cache)?", request.target)
        if not match or not re.fullmatch(r"[0-9a-f]{32}", match[1]):
            return error_response(404, 7003, f"Could not route to {request.target}")
        may = "purge" if match[2] else "read"
        refusal = self._forbidden(token, match[1], may)
        if refusal:
            return refusal
        return self._purge(request) if match[2] else self._zone_details()

    def _forbidden(self, token: str, zone: str, what: str) -> FakeResponse | None:
        token_entry = self.tokens.get(token)
        if token_entry is None or token_entry.status != "active":
            return error_response(403, 9109, "Invalid access token")
        if zone not in token_entry.zones or what not in token_entry.may:
            return error_response(403, 10000, "Authentication error")
        return None

    def _zone_details(self) -> FakeResponse:
        return json_response(
            200, {"success": True, "errors": [], "result": {"id": ZONE, "name": self.name}}
        )

    def _verify_token(self, token: str) -> FakeResponse:
        token_entry = self.tokens.get(token)
        if token_entry is None:
            return error_response(401, 1000, "Invalid API Token")
        result = {"id": "1", "status": token_entry.status}
        return json_response(200, {"success": True, "errors": [], "result": result})

    def _purge(self, request: FakeRequest) -> FakeResponse:
        if request.headers["Content-Type"] != "application/json":
            return error_response(400, 6003, "Content-Type must be application/json")
        body = json.loads(request.body)
        if list(body) not in (["tags"], ["files"], ["purge_everything"]):
            return error_response(
                400, 1012, "Request must contain one of purge_everything, files, tags"
            )
        ((kind, what),) = body.items()
        if kind != "purge_everything" and not 1 <= len(what) <= 100:
            return error_response(400, 1094, "You may purge 1 to 100 at a time")
        return self._purge_within_quota(kind, what)

    def _purge_within_quota(self, kind: str, what: Any) -> FakeResponse:
        urls = kind == "files"
        if not (self.urls.take(len(what)) if urls else self.calls.take()):
            return error_response(429, 971, "Please wait", Retry_After="12")
        if urls and any(not self._is_url_of_zone(url) for url in what):
            return error_response(400, 1016, "You can only purge files of this zone")
        if kind == "tags" and any(not re.fullmatch(r"[!-+\--~]{1,1024}", tag) for tag in what):
            return error_response(400, 1139, "Invalid cache tag")
        self.forget(self._urls_to_purge(kind, what))
        return json_response(200, {"success": True, "errors": [], "result": {"id": ZONE}})

    def _is_url_of_zone(self, url: str) -> bool:
        if not isinstance(url, str) or not _URL.fullmatch(url) or len(url) > LONGEST_URL:
            return False
        host = urlsplit(url).hostname or ""
        return host == self.name or host.endswith(f".{self.name}")

    def _urls_to_purge(self, kind: str, what: Any) -> list[str]:
        if kind == "tags":
            return self.urls_with_tags(what)
        return list(self.pages) if kind != "files" else [url.removeprefix(SITE) for url in what]


def error_response(status: int, code: int, message: str, **headers: str) -> FakeResponse:
    """An error as Cloudflare writes it."""
    body = {"success": False, "errors": [{"code": code, "message": message}], "result": None}
    return json_response(status, body, **headers)
