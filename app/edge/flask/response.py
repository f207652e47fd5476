"""Write the final headers of a response: policy, tags, ETag; evaluate conditional requests."""

from __future__ import annotations

import hashlib
import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..gateway import capped_headers, language_list
from ..gateway.finding_key import FINDING_KEY
from ..http.dates import format_http_date
from ..http.durations import delta_seconds
from ..http.vary import field_names
from ..name import NAME
from ..policy.cdn_headers import EDGE_FIELDS, no_store_directives
from ..policy.guard import GuardFinding, Leak, summarise
from ..policy.policy import NO_STORE, PolicyError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from flask import Response

    from ..policy.cdn_headers import FieldLines
    from ..policy.policy import Policy
    from ..purge.edge_chain import EdgeChain

POLICY_KEY = f"{NAME}.policy"
PURGED_KEY = f"{NAME}.purged"
"""WSGI environ key: whether the page is shared, and purged when its content changes."""
COOKIES_KEY = f"{NAME}.cookies"
"""WSGI environ key: the number of cookies that the response set when the guard checked it."""
_CDN_HEADERS = frozenset(name.lower() for name in EDGE_FIELDS)
CACHE_HEADERS = _CDN_HEADERS | {
    "cache-control",
    "expires",
    capped_headers.FIELD_LOWER,
    language_list.FIELD_LOWER,
}
"""Header fields that instruct caches, in lower case."""
_CONDITIONS = frozenset(
    {
        "HTTP_IF_MATCH",
        "HTTP_IF_MODIFIED_SINCE",
        "HTTP_IF_NONE_MATCH",
        "HTTP_IF_UNMODIFIED_SINCE",
    }
)
_log = logging.getLogger(__name__)


def refuse_sharing(
    response: Response,
    findings: tuple[GuardFinding, ...],
    environ: dict[str, Any],
    *,
    policy: Policy = NO_STORE,
    strict: bool,
) -> None:
    """Make the response no-store and log all leaks; if `strict`, raise Leak instead."""
    first = findings[0]
    environ[FINDING_KEY] = first.code
    if first.is_leak:
        summary = summarise(findings)
        if strict:
            response.close()  # it may have an open file
            raise Leak(summary, findings)
        path = environ.get("PATH_INFO", "")
        extra = {"finding": first.code, "sentence": summary, "path": path}
        _log.warning("edge.finding: %s %s", path, summary, extra=extra)
    set_no_store(response, policy)


def set_no_store(response: Response, policy: Policy = NO_STORE) -> None:
    """Remove all caching headers and set `no-store`.

    If `policy` is a `no-store` policy, its other directives are written as well.
    """
    for name in header_names(response) & CACHE_HEADERS:
        del response.headers[name]
    no_store_policy = policy if policy.no_store else NO_STORE
    response.headers["Cache-Control"] = no_store_directives(no_store_policy)


def write_policy(
    response: Response,
    policy: Policy,
    front: EdgeChain,
    *,
    purgeable_count: int | None,
    now: datetime,
) -> None:
    """Write the policy into the response's headers, each field once.

    `purgeable_count` is the number of edges that can be purged, counted from inside. None leaves
    the choice to the gateway, which gets the capped lines in a header of its own.
    """
    if policy.no_store:
        set_no_store(response, policy)
        return
    headers, present = response.headers, header_names(response)
    try:
        policy = _varying(response, policy)
    except PolicyError:  # the view's Vary has an invalid field name, so no cache can match it
        set_no_store(response)
        return
    for name in present & _CDN_HEADERS if not policy.is_shareable else ():
        del headers[name]
    _write_cache_headers(response, policy, front, purgeable_count=purgeable_count)
    second = int(now.timestamp())
    headers["Date"] = _http_date(second)
    if headers["Cache-Control"] == "no-store":
        del headers["Expires"]
    elif policy.is_shareable and policy.browser.no_cache is not True:
        headers["Expires"] = _http_date(second + delta_seconds(policy.browser.ttl))
    elif "expires" in present:
        # A cache that ignores Cache-Control would store the private response.
        del headers["Expires"]


def _write_cache_headers(
    response: Response, policy: Policy, front: EdgeChain, *, purgeable_count: int | None
) -> None:
    """Write Cache-Control and the header fields of each edge."""
    headers, by_hand = response.headers, header_names(response) & _CDN_HEADERS
    # Fields that a view wrote have no capped form, so the other fields get the capped lifetimes.
    for name, value in front.format_policy(policy, 0 if by_hand else purgeable_count):
        # An edge that would mix variants must not store the page, even if the view says otherwise.
        if name.lower() not in by_hand or value == "no-store":
            headers[name] = value
    if purgeable_count is None and not by_hand and (capped_lines := front.capped_headers(policy)):
        headers[capped_headers.FIELD] = capped_lines


def _varying(response: Response, policy: Policy) -> Policy:
    """Write one Vary line, since some caches obey only the last; return the policy with it."""
    own = vary_names(response)
    if own or policy.vary:
        write_vary(response, (*own, *policy.vary))
    return policy.with_vary(own) if own and policy.is_shareable else policy


def add_cache_tags(response: Response, lines: FieldLines) -> None:
    """Add a page's cache tags to the tags that the view has set."""
    for name, value in lines:
        response.headers.add(name, value)


def ensure_etag(response: Response, environ: dict[str, Any]) -> str:
    """Add a strong ETag to a complete page without one; return the ETag or an empty string."""
    etag = response.headers["ETag"] if "etag" in header_names(response) else ""
    if etag or response.status_code != 200 or not response.is_sequence:  # noqa: PLR2004 - OK
        return etag
    body = response.get_data()
    if not body and environ["REQUEST_METHOD"] != "GET":
        return ""
    new_etag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
    response.headers["ETag"] = new_etag
    return new_etag


def evaluate_conditions(response: Response, environ: dict[str, Any]) -> None:
    """Evaluate the conditions of the request (RFC 9110 §13)."""
    if response.status_code != 200:  # noqa: PLR2004 - OK
        return
    if not _CONDITIONS.isdisjoint(environ):
        response.make_conditional(environ)
        if response.status_code == 412:  # noqa: PLR2004 - the precondition failed
            set_no_store(response)


def count_cookies(headers: Iterable[tuple[str, str]]) -> int:
    """Return the number of Set-Cookie headers."""
    return sum(name.lower() == "set-cookie" for name, _ in headers)


def vary_names(response: Response) -> list[str]:
    """Return the field names of all Vary headers."""
    return field_names(value for name, value in response.headers if name.lower() == "vary")


def write_vary(response: Response, names: Iterable[str]) -> None:
    """Replace all Vary headers by one with these field names."""
    if line := ", ".join(field_names(names)):
        response.headers["Vary"] = line
    else:
        del response.headers["Vary"]


def header_names(response: Response) -> set[str]:
    """Return the names of all headers in lower case; faster than several lookups in Werkzeug."""
    return {name.lower() for name, _ in response.headers}


@lru_cache(maxsize=256)
def _http_date(second: int) -> str:
    return format_http_date(second)
