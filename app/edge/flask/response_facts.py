"""Collect the facts of a response that the guard decides by."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flask import current_app, g, request
from flask.globals import request_ctx

from ..dependencies.fence import describe
from ..policy.guard import ResponseFacts
from .request import get_request_reads
from .response import vary_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Request, Response

    from .effective_policy import EffectivePolicy
    from .request import RequestReads


def report_private_read(code: str = "private-read") -> None:
    """Tell the guard that the current request reads private data."""
    get_request_reads(request).add_reason(code)


def record_session_use(response: Response) -> Response:
    """Record whether the view used the session, before any other after_request function runs."""
    reads = get_request_reads(request)
    try:
        session = request_ctx._session  # noqa: SLF001 - flask.session would count as a read
        if session is not None and session.accessed:
            reads.add_reason("session-read")
        if "cookie" in vary_names(response):
            reads.add_reason("vary-cookie")
    except Exception as error:  # noqa: BLE001 - the app may have its own session interface
        describe(error, "as it checked the session")
        reads.add_reason("session-read")
    return response


def collect_facts(
    effective: EffectivePolicy, route: EffectivePolicy, request: Request, response: Response
) -> ResponseFacts:
    """Return the facts for the guard, and stop recording reads of the request."""
    reads = get_request_reads(request)
    reads.is_recording = False
    reason_codes = reads.reason_codes | set(_extension_reasons()) | set(_session_reasons(reads))
    cookies = set(_cookie_names(response))
    if cookies and "session-changed" not in reason_codes:
        # Flask renews a permanent session's cookie with each response, without the view.
        refreshed = current_app.session_interface.get_cookie_name(current_app)
        if refreshed in cookies:
            cookies.remove(refreshed)
            reason_codes.add("session-read-late")
    vary = {name.lower() for name in vary_names(response)}
    if reason_codes & {"session-seen", "session-read-late"}:
        # Flask added Vary: Cookie because a function after the view read the session.
        vary.discard("cookie")
    return ResponseFacts(
        view=request.endpoint or f"The response to {request.path}",
        policy=effective.policy,
        has_policy=effective.source != "none",
        method=request.method,
        status=response.status_code,
        reason_codes=frozenset(reason_codes),
        cookies_set=tuple(sorted(cookies)),
        vary=frozenset(vary),
        query_read=frozenset(reads.query),
        query_declared=route.query,
        headers_read=frozenset(reads.headers),
        is_streamed=response.is_streamed and not response.direct_passthrough,
    )


def variant_key(request: Request, facts: ResponseFacts) -> str:
    """Return a key of the URL's variant: a digest of the request fields that it varies on."""
    vary = facts.vary.union(name.lower() for name in facts.policy.vary)
    digest_lines = [f"{name}: {request.environ.get(_variable(name), '')}" for name in sorted(vary)]
    if request.method != "GET":
        digest_lines.append(request.method)
    return (
        hashlib.blake2b("\n".join(digest_lines).encode(), digest_size=8).hexdigest()
        if digest_lines
        else ""
    )


def _variable(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


def _cookie_names(response: Response) -> Iterator[str]:
    for line in response.headers.getlist("Set-Cookie"):
        yield line.partition("=")[0].strip()


def _session_reasons(reads: RequestReads) -> Iterator[str]:
    session = request_ctx._session  # noqa: SLF001 - flask.session would count as a read
    if session is None:
        return
    if session.modified:
        yield "session-changed"
    elif session.accessed and "session-read" not in reads.reason_codes:
        yield "session-read-late" if session else "session-seen"


def _extension_reasons() -> Iterator[str]:
    # Flask-Login and Flask-WTF store their objects on flask.g under these names.
    if "_login_user" in g:
        yield "user-read"
    if current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token") in g:
        yield "csrf-token"
