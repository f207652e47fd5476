"""A Fastly that refuses what Fastly refuses."""

from __future__ import annotations

import json
import re
from typing import Any

from .server import Asked, Edge, Reply, said

SERVICE = "SU1Z0isxPaozGVKXdv0eY"
TOKEN = "fastly-t0ken-of-the-service"


class Fastly(Edge):
    """One account with one service."""

    def __init__(self) -> None:
        super().__init__()
        self.token: dict[str, Any] = {}
        self.refill()

    def refill(self) -> None:
        """Give the token all that it needs."""
        self.token = {"scope": "purge_select purge_all", "services": [SERVICE]}

    def answer(self, asked: Asked) -> Reply:
        """Tell of the token, or purge."""
        if asked.headers["Fastly-Key"] != TOKEN:
            return said(401, {"msg": "Provided credentials are missing or invalid"})
        if (asked.method, asked.target) == ("GET", "/tokens/self"):
            return said(200, self.token)
        base = f"/service/{SERVICE}/"
        if asked.method != "POST" or not asked.target.startswith(base):
            return said(404, {"msg": "Record not found"})
        call = asked.target.removeprefix(base)
        scopes = self.token["scope"].split()
        if {"purge": "purge_select", "purge_all": "purge_all"}.get(call) not in scopes:
            return said(403, {"msg": "You are not authorized to perform this action"})
        return self._everything(asked) if call == "purge_all" else self._purged(asked)

    def _everything(self, asked: Asked) -> Reply:
        if asked.headers["Fastly-Soft-Purge"]:
            return said(400, {"msg": "Purge all cannot be soft"})
        self.forget(self.pages)
        return said(200, {"status": "ok"})

    def _purged(self, asked: Asked) -> Reply:
        if asked.headers["Content-Type"] != "application/json":
            return said(415, {"msg": "Unsupported media type"})
        if asked.headers["Fastly-Soft-Purge"] not in {None, "1"}:
            return said(400, {"msg": "Fastly-Soft-Purge is 1 or absent"})
        keys = json.loads(asked.body)["surrogate_keys"]
        if not 1 <= len(keys) <= 256:
            return said(400, {"msg": "Too many keys, at most 256"})
        if any(not re.fullmatch(r"[!-~]{1,1024}", key) for key in keys):
            return said(400, {"msg": "Invalid surrogate key"})
        self.forget(self.tagged(keys), soft=asked.headers["Fastly-Soft-Purge"] == "1")
        return said(200, {key: f"1-{number}" for number, key in enumerate(keys)})
