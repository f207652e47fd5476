"""The facts of a response: what the guard is told of how it came about."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from flask import current_app, g, request
from flask.globals import request_ctx

from ..fence import describe
from ..guard import Facts
from .requests import reads_of
from .responses import vary_names

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Request, Response

    from .promise import Promise
    from .requests import Reads


def touch(code: str = "private-read") -> None:
    """Tell the guard that something of one reader, or something private, is read just now."""
    reads_of(request).touch(code)


def look_at_session(response: Response) -> Response:
    """Note, before any other after_request function runs, whether the view used the session."""
    reads = reads_of(request)
    try:
        session = request_ctx._session  # noqa: SLF001 - flask.session would count as a read
        if session is not None and session.accessed:
            reads.touch("session-read")
        if "cookie" in vary_names(response):
            reads.touch("vary-cookie")
    except Exception as error:  # noqa: BLE001 - a session interface of the app's own
        describe(error, "as it looked at the session")
        reads.touch("session-read")
    return response


def facts_of(said: Promise, route: Promise, asked: Request, response: Response) -> Facts:
    """Return what the guard judges a response by; from now on reads don't count."""
    reads = reads_of(asked)
    reads.on = False
    touched = reads.touched | set(_touched_by_extensions()) | set(_touched_in_session(reads))
    cookies = set(_cookie_names(response))
    if cookies and "session-changed" not in touched:
        # A permanent session is sent anew with each response: the view did nothing.
        refreshed = current_app.session_interface.get_cookie_name(current_app)
        if refreshed in cookies:
            cookies.remove(refreshed)
            touched.add("session-read-late")
    vary = {name.lower() for name in vary_names(response)}
    if touched & {"session-seen", "session-read-late"}:
        # Flask says Vary: Cookie since a function after the view looked at the session.
        vary.discard("cookie")
    return Facts(
        view=asked.endpoint or f"The answer to {asked.path}",
        policy=said.policy,
        marked=said.source != "none",
        method=asked.method,
        status=response.status_code,
        touched=frozenset(touched),
        cookies_set=tuple(sorted(cookies)),
        vary=frozenset(vary),
        query_read=frozenset(reads.query),
        query_declared=route.query,
        headers_read=frozenset(reads.headers),
        streamed=response.is_streamed and not response.direct_passthrough,
    )


def variant_of(asked: Request, facts: Facts) -> str:
    """Which of a URL's responses this is; others may be built from something else."""
    vary = facts.vary.union(name.lower() for name in facts.policy.vary)
    said = [f"{name}: {asked.environ.get(_variable(name), '')}" for name in sorted(vary)]
    if asked.method != "GET":
        said.append(asked.method)
    return hashlib.blake2b("\n".join(said).encode(), digest_size=8).hexdigest() if said else ""


def _variable(name: str) -> str:
    return f"HTTP_{name.upper().replace('-', '_')}"


def _cookie_names(response: Response) -> Iterator[str]:
    for line in response.headers.getlist("Set-Cookie"):
        yield line.partition("=")[0].strip()


def _touched_in_session(reads: Reads) -> Iterator[str]:
    session = request_ctx._session  # noqa: SLF001 - flask.session would count as a read
    if session is None:
        return
    if session.modified:
        yield "session-changed"
    elif session.accessed and "session-read" not in reads.touched:
        yield "session-read-late" if session else "session-seen"


def _touched_by_extensions() -> Iterator[str]:
    # Flask-Login and Flask-WTF keep what they made on flask.g, under these names.
    if "_login_user" in g:
        yield "user-read"
    if current_app.config.get("WTF_CSRF_FIELD_NAME", "csrf_token") in g:
        yield "csrf-token"
