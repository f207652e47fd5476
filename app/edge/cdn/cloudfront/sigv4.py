"""AWS Signature Version 4 for requests with a complete body.

Pure: no clock, no network, no settings.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsignedRequest:
    """A request to sign; path, query and header values are not encoded."""

    method: str
    host: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class AwsSigner:
    """Signs requests with a key for one region and service."""

    key: str
    secret: str
    session: str = ""
    region: str
    service: str

    def sign(self, request: UnsignedRequest, now: datetime) -> dict[str, str]:
        """Return the header fields to add to the request."""
        at = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        added = {"X-Amz-Date": at}
        if self.session:
            added["X-Amz-Security-Token"] = self.session
        fields = {name.lower(): value for name, value in {**request.headers, **added}.items()}
        fields["host"] = request.host
        names = ";".join(sorted(fields))
        scope = f"{at[:8]}/{self.region}/{self.service}/aws4_request"
        digest = _digest(_canonical(request, fields).encode())
        signature = _hmac(self._key(at[:8]), f"{_ALGORITHM}\n{at}\n{scope}\n{digest}").hex()
        parameters = f"Credential={self.key}/{scope}, SignedHeaders={names}, Signature={signature}"
        return {**added, "Authorization": f"{_ALGORITHM} {parameters}"}

    def _key(self, day: str) -> bytes:
        key = f"AWS4{self.secret}".encode()
        for part in (day, self.region, self.service, "aws4_request"):
            key = _hmac(key, part)
        return key


def query_string(query: Mapping[str, str]) -> str:
    """Return the query as it is signed; it must be sent in the same form."""
    pairs = sorted((_percent_encode(name), _percent_encode(value)) for name, value in query.items())
    return "&".join(f"{name}={value}" for name, value in pairs)


def _canonical(request: UnsignedRequest, fields: Mapping[str, str]) -> str:
    lines = [f"{name}:{_collapse_spaces(fields[name])}\n" for name in sorted(fields)]
    return "\n".join(
        [
            request.method,
            quote(request.path, safe="/-._~"),
            query_string(request.query),
            "".join(lines),
            ";".join(sorted(fields)),
            _digest(request.body),
        ],
    )


def _collapse_spaces(value: str) -> str:
    return re.sub(r" +", " ", value.strip())


def _percent_encode(text: str) -> str:
    return quote(text, safe="-._~")


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
