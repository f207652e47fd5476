"""The last hand on a response: judged, then given its headers, then compared with the request."""

from __future__ import annotations

import hashlib
import logging
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from ..dialects import EDGE_FIELDS, Dialect, spell
from ..guard import Finding, Leak

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime, timedelta

    from flask import Response

    from ..policy import Policy

POLICY_KEY = "broadsheet.policy"
FINDING_KEY = "broadsheet.finding"
_TOLD_TO_EDGES = EDGE_FIELDS | {"CDN-Cache-Control", "Surrogate-Control"}
_log = logging.getLogger(__name__)


def withhold(
    response: Response, finding: Finding, environ: dict[str, Any], *, strict: bool
) -> None:
    """Make the response no-store and tell why; where `strict`, a leak raises instead."""
    environ[FINDING_KEY] = finding.code
    if finding.leak:
        if strict:
            raise Leak(finding.sentence)
        path = environ.get("PATH_INFO", "")
        extra = {"finding": finding.code, "sentence": finding.sentence, "path": path}
        _log.warning("edge.finding", extra=extra)
    close(response)


def close(response: Response) -> None:
    """Keep the response out of every cache, whatever its headers said."""
    for name in (*_TOLD_TO_EDGES, "Expires", "Cache-Control"):
        response.headers.pop(name, None)
    response.headers["Cache-Control"] = "no-store"


def promise(
    response: Response,
    policy: Policy,
    dialects: Iterable[Dialect],
    *,
    cap: timedelta | None,
    now: datetime,
) -> None:
    """Write the policy into the response's headers, each of them once."""
    if policy.no_store:
        close(response)
        return
    by_hand = {name for name in _TOLD_TO_EDGES if policy.shared and name in response.headers}
    for name, value in spell(policy, dialects, cap=cap):
        if name not in by_hand:
            response.headers[name] = value
    _tell_old_caches(response, policy, now)
    for name in policy.vary:
        response.vary.add(name)


def _tell_old_caches(response: Response, policy: Policy, now: datetime) -> None:
    response.headers["Date"] = format_datetime(now.replace(microsecond=0), usegmt=True)
    response.headers.pop("Expires", None)
    if policy.shared and policy.browser.no_cache is not True:
        expires = now.replace(microsecond=0) + policy.browser.ttl
        response.headers["Expires"] = format_datetime(expires, usegmt=True)


def validate(response: Response, environ: dict[str, Any]) -> None:
    """Give a complete page a strong ETag and answer conditional requests (RFC 9110 §13)."""
    if response.status_code != 200:  # noqa: PLR2004 - OK
        return
    if response.is_sequence and "ETag" not in response.headers:
        body = response.get_data()
        if body or environ["REQUEST_METHOD"] == "GET":
            response.set_etag(hashlib.blake2b(body, digest_size=16).hexdigest())
    if "ETag" in response.headers or "Last-Modified" in response.headers:
        response.make_conditional(environ)
