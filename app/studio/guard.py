"""What happens before each view of the studio: session, origin, token, role, proof."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import abort, current_app, g, jsonify, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from markupsafe import Markup
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response

from app.publishing.permissions import Actor

from . import csrf, sessions
from .errors import wants_json
from .roles import RULES, RouteRule
from .tokens import hash_token

KEPT = "kept:"
"""The prefix of form fields that a log-in form carries for a request that needed a session."""

_SECRET_FIELDS = ("password", csrf.FIELD)
_CSRF_FIELD = Markup('<input type="hidden" name="{}" value="{}">')
_log = logging.getLogger(__name__)


@dataclass(slots=True, kw_only=True)
class Visit:
    """What the studio knows about the current request."""

    now: datetime
    session: sessions.StudioSession | None = None


def visit() -> Visit:
    """Return the visit of this request."""
    current: Visit = g.studio_visit
    return current


def now() -> datetime:
    """Return the instant at which this request began."""
    return visit().now


def current_session() -> sessions.StudioSession:
    """Return the session; only views that need one may call it."""
    session = visit().session
    assert session is not None
    return session


def current_actor() -> Actor:
    """Return the user of the session, as the actions take it."""
    return current_session().actor


def token_for(token: str) -> str:
    """Return the CSRF token of a session that has just begun."""
    return csrf.token_of(hash_token(token))


def csrf_field() -> Markup:
    """Return the hidden field that every form of the studio contains; empty without a session."""
    session = visit().session
    if session is None:
        return Markup()
    return _CSRF_FIELD.format(csrf.FIELD, csrf.token_of(session.token_hash))


def template_values() -> dict[str, Any]:
    """Return what every template of the studio may use; error pages may have no session."""
    current: Visit | None = g.get("studio_visit")
    return {"session_user": current and current.session, "csrf_field": csrf_field}


def check_request() -> ResponseReturnValue | None:
    """Answer a request that the view must not get; return None for the others."""
    rule = RULES.get(request.endpoint or "")
    if rule is None:
        _log.error("studio.route: %s has no rule in app/studio/roles.py", request.endpoint)
        abort(HTTPStatus.FORBIDDEN, "This page has no access rule.")
    request.max_content_length = rule.max_bytes
    instant = datetime.now(UTC)
    g.studio_visit = Visit(now=instant, session=sessions.find(request, instant))
    is_read = request.method in {"GET", "HEAD", "OPTIONS"}
    if not is_read:
        _check_origin(rule)
    session = visit().session
    if rule.is_open:
        return None
    if session is None:
        return ask_for_login() if is_read else keep_text()
    if not is_read and not csrf.has_token(request, session.token_hash):
        abort(HTTPStatus.FORBIDDEN, "The form is not of this session. Load the page again.")
    if not rule.allows(session.actor.role):
        abort(HTTPStatus.FORBIDDEN, f"Your role is {session.actor.role}; it does not allow this.")
    if rule.needs_proof and not session.is_proved(instant):
        return ask_for_login() if is_read else keep_text()
    return None


def _check_origin(rule: RouteRule) -> None:
    """Refuse a POST of another origin; without a session, one of unknown origin as well."""
    config = current_app.config
    source = csrf.source_of(request, config["SITE_URL"], config["TRUSTED_HOSTS"])
    is_unproved = source is csrf.Source.UNKNOWN and rule.is_open
    if source is csrf.Source.OTHER_ORIGIN or is_unproved:
        abort(HTTPStatus.FORBIDDEN, "The form was not sent from this site.")


def ask_for_login() -> ResponseReturnValue:
    """Redirect a page to the log-in, or tell a script that the session has ended."""
    if wants_json():
        return _session_ended()
    return redirect(f"/studio/login?next={request.path}", HTTPStatus.SEE_OTHER)


def keep_text() -> ResponseReturnValue:
    """Answer 401 to a POST without a session, with its fields and a log-in form."""
    if wants_json():
        return _session_ended()
    return make_response(
        render_template("studio/login/show.html", next=request.path, kept=kept_fields(), error=""),
        HTTPStatus.UNAUTHORIZED,
    )


def _session_ended() -> Response:
    response = jsonify(
        error="session-ended", message="The session has ended. Log in again, then repeat this."
    )
    response.status_code = HTTPStatus.UNAUTHORIZED
    return response


def kept_fields() -> list[tuple[str, str]]:
    """Return the fields of the posted form, without passwords and tokens."""
    try:
        fields = list(request.form.items(multi=True))
    except RequestEntityTooLarge:
        return []
    return [(name, value) for name, value in fields if not _is_secret(name)]


def _is_secret(name: str) -> bool:
    return any(secret in name.lower() for secret in _SECRET_FIELDS)


def finish(response: Response) -> Response:
    """Note that the session was used, after the response is built."""
    current: Visit | None = g.get("studio_visit")
    if current is not None and current.session is not None:
        sessions.touch(current.session, current.now)
    return response


def close_files(error: BaseException | None) -> None:
    """Close the temporary files of an upload."""
    del error
    request.close()
