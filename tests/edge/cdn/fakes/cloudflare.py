"""A Cloudflare that refuses what Cloudflare refuses."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from .server import Asked, Bucket, Edge, Reply, said

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


class Cloudflare(Edge):
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

    def answer(self, asked: Asked) -> Reply:
        """Verify, tell of the zone, or purge."""
        scheme, _, token = (asked.headers["Authorization"] or "").partition(" ")
        if scheme != "Bearer" or not token:
            return refused(400, 6003, "Invalid request headers")
        if asked.target == f"{_BASE}/user/tokens/verify":
            return self._verified(token)
        match = re.fullmatch(rf"{_BASE}/zones/([^/]+)(/purge_cache)?", asked.target)
        if not match or not re.fullmatch(r"[0-9a-f]{32}", match[1]):
            return refused(404, 7003, f"Could not route to {asked.target}")
        may = "purge" if match[2] else "read"
        refusal = self._forbidden(token, match[1], may)
        if refusal:
            return refusal
        return self._purge(asked) if match[2] else self._read()

    def _forbidden(self, token: str, zone: str, what: str) -> Reply | None:
        known = self.tokens.get(token)
        if known is None or known.status != "active":
            return refused(403, 9109, "Invalid access token")
        if zone not in known.zones or what not in known.may:
            return refused(403, 10000, "Authentication error")
        return None

    def _read(self) -> Reply:
        return said(200, {"success": True, "errors": [], "result": {"id": ZONE, "name": self.name}})

    def _verified(self, token: str) -> Reply:
        known = self.tokens.get(token)
        if known is None:
            return refused(401, 1000, "Invalid API Token")
        result = {"id": "1", "status": known.status}
        return said(200, {"success": True, "errors": [], "result": result})

    def _purge(self, asked: Asked) -> Reply:
        if asked.headers["Content-Type"] != "application/json":
            return refused(400, 6003, "Content-Type must be application/json")
        body = json.loads(asked.body)
        if list(body) not in (["tags"], ["files"], ["purge_everything"]):
            return refused(400, 1012, "Request must contain one of purge_everything, files, tags")
        ((kind, what),) = body.items()
        if kind != "purge_everything" and not 1 <= len(what) <= 100:
            return refused(400, 1094, "You may purge 1 to 100 at a time")
        return self._counted(kind, what)

    def _counted(self, kind: str, what: Any) -> Reply:
        urls = kind == "files"
        if not (self.urls.take(len(what)) if urls else self.calls.take()):
            return refused(429, 971, "Please wait", Retry_After="12")
        if urls and any(not self._ours(url) for url in what):
            return refused(400, 1016, "You can only purge files of this zone")
        if kind == "tags" and any(not re.fullmatch(r"[!-+\--~]{1,1024}", tag) for tag in what):
            return refused(400, 1139, "Invalid cache tag")
        self.forget(self._meant(kind, what))
        return said(200, {"success": True, "errors": [], "result": {"id": ZONE}})

    def _ours(self, url: str) -> bool:
        if not isinstance(url, str) or not _URL.fullmatch(url) or len(url) > LONGEST_URL:
            return False
        host = urlsplit(url).hostname or ""
        return host == self.name or host.endswith(f".{self.name}")

    def _meant(self, kind: str, what: Any) -> list[str]:
        if kind == "tags":
            return self.tagged(what)
        return list(self.pages) if kind != "files" else [url.removeprefix(SITE) for url in what]


def refused(status: int, code: int, message: str, **headers: str) -> Reply:
    """An error as Cloudflare writes it."""
    body = {"success": False, "errors": [{"code": code, "message": message}], "result": None}
    return said(status, body, **headers)
