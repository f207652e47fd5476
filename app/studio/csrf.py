"""The checks against forged requests: where the request comes from, and the token of the session.

The token lives as long as the session, so that a form which was open for a day is accepted.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection
from enum import Enum
from urllib.parse import urlsplit

from flask import Request
from werkzeug.sansio.utils import host_is_trusted

from .tokens import sign

FIELD = "csrf"
HEADER = "X-CSRF-Token"


class Source(Enum):
    """Where a request comes from, as far as its headers tell."""

    SAME_ORIGIN = "same origin"
    OTHER_ORIGIN = "other origin"
    UNKNOWN = "unknown"


def judge_source(
    *,
    fetch_site: str | None,
    origin: str | None,
    host: str,
    site_url: str,
    trusted_hosts: Collection[str] | None = None,
) -> Source:
    """Judge a POST by Sec-Fetch-Site, which browsers write themselves, else by Origin."""
    if fetch_site is not None:
        return Source.SAME_ORIGIN if fetch_site == "same-origin" else Source.OTHER_ORIGIN
    if origin is None or origin == "null":
        return Source.UNKNOWN
    parts = urlsplit(origin)
    is_own = (
        origin == _origin_of(site_url)
        or parts.netloc.lower() == host.lower()
        or (bool(trusted_hosts) and host_is_trusted(parts.netloc, trusted_hosts))
    )
    return Source.SAME_ORIGIN if is_own else Source.OTHER_ORIGIN


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def source_of(request: Request, site_url: str, trusted_hosts: Collection[str] | None) -> Source:
    """Judge this request."""
    return judge_source(
        fetch_site=request.headers.get("Sec-Fetch-Site"),
        origin=request.headers.get("Origin"),
        host=request.host,
        site_url=site_url,
        trusted_hosts=trusted_hosts,
    )


def token_of(token_hash: str) -> str:
    """Return the CSRF token of the session with this hash."""
    return sign("csrf", token_hash)


def has_token(request: Request, token_hash: str) -> bool:
    """Tell whether the form or the header has the token of this session."""
    token = request.headers.get(HEADER) or request.form.get(FIELD, "")
    return hmac.compare_digest(token.encode(), token_of(token_hash).encode())
