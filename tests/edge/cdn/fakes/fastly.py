"""A fake of Fastly that refuses the same calls."""

from __future__ import annotations

import json
import re
from typing import Any

from .server import FakeEdge, FakeRequest, FakeResponse, json_response

SERVICE = "SU1Z0isxPaozGVKXdv0eY"
TOKEN = "fastly-t0ken-of-the-service"


class Fastly(FakeEdge):
    """One account with one service."""

    def __init__(self) -> None:
        super().__init__()
        self.token: dict[str, Any] = {}
        self.refill()

    def refill(self) -> None:
        """Give the token all scopes."""
        self.token = {"scope": "purge_select purge_all", "services": [SERVICE]}

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Return the token's scopes, or purge."""
        if request.headers["Fastly-Key"] != TOKEN:
            return json_response(401, {"msg": "Provided credentials are missing or invalid"})
        if (request.method, request.target) == ("GET", "/tokens/self"):
            return json_response(200, self.token)
        base = f"/service/{SERVICE}/"
        if request.method != "POST" or not request.target.startswith(base):
            return json_response(404, {"msg": "Record not found"})
        call = request.target.removeprefix(base)
        scopes = self.token["scope"].split()
        if {"purge": "purge_select", "purge_all": "purge_all"}.get(call) not in scopes:
            return json_response(403, {"msg": "You are not authorized to perform this action"})
        return self._purge_all(request) if call == "purge_all" else self._purge(request)

    def _purge_all(self, request: FakeRequest) -> FakeResponse:
        if request.headers["Fastly-Soft-Purge"]:
            return json_response(400, {"msg": "Purge all cannot be soft"})
        self.forget(self.pages)
        return json_response(200, {"status": "ok"})

    def _purge(self, request: FakeRequest) -> FakeResponse:
        if request.headers["Content-Type"] != "application/json":
            return json_response(415, {"msg": "Unsupported media type"})
        if request.headers["Fastly-Soft-Purge"] not in {None, "1"}:
            return json_response(400, {"msg": "Fastly-Soft-Purge is 1 or absent"})
        keys = json.loads(request.body)["surrogate_keys"]
        if not 1 <= len(keys) <= 256:
            return json_response(400, {"msg": "Too many keys, at most 256"})
        if any(not re.fullmatch(r"[!-~]{1,1024}", key) for key in keys):
            return json_response(400, {"msg": "Invalid surrogate key"})
        self.forget(self.urls_with_tags(keys), soft=request.headers["Fastly-Soft-Purge"] == "1")
        return json_response(200, {key: f"1-{number}" for number, key in enumerate(keys)})
