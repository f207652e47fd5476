"""Log in and log out."""

from __future__ import annotations

import logging
import math
import re
from dataclasses import dataclass
from datetime import timedelta
from http import HTTPStatus

import sqlalchemy as sa
from flask import Blueprint, current_app, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.extensions import db
from app.publishing.models import User
from app.publishing.transaction import transaction

from . import events, guard, passwords, sessions, throttle

bp = Blueprint("login", __name__)

WRONG = "The e-mail address or the password is wrong."
BUSY = timedelta(seconds=1)
_NEXT = re.compile(r"/studio(?:/[\w.~/-]*)?(?:\?[\w.~=&%+-]*)?", re.ASCII)
_log = logging.getLogger(__name__)
_warnings: set[str] = set()


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What a log-in needs of an account; `password_hash` is empty if it can't log in."""

    user_id: int
    password_hash: str


@bp.get("/login")
def show() -> ResponseReturnValue:
    """Show the log-in form."""
    target = safe_target(request.args.get("next", ""))
    return render_template("studio/login/show.html", next=target, kept=[], error="")


@bp.post("/login")
def log_in() -> ResponseReturnValue:
    """Log in; a form that came without a session is offered again afterwards."""
    email = request.form.get("email", "").strip().lower()
    account = find_account(email)
    is_known = account is not None and sessions.known_user(request) == account.user_id
    keys = throttle.keys_for(email, client_network())
    # A flood of attempts on one account must not lock out the browser of its user.
    checked_keys = [key for key in keys if not (is_known and key.kind is throttle.Kind.ACCOUNT)]
    delay = throttle.find_delay(db.session(), checked_keys, guard.now())
    db.session.rollback()  # no read transaction stays open while the password is hashed
    if delay:
        return refuse(delay, "Too many attempts.")
    try:
        with passwords.hash_slot(is_known=is_known):
            password = request.form.get("password", "")
            matches = passwords.verify(password, account.password_hash if account else "")
    except passwords.BusyError:
        return refuse(BUSY, "Other log-ins are being checked.")
    if not matches or account is None:
        with transaction() as session:
            throttle.count_failure(session, keys, guard.now())
        return show_again(WRONG, HTTPStatus.UNAUTHORIZED)
    return begin_session(account.user_id, "password", keys)


def find_account(email: str) -> Account | None:
    """Return the account with this address; one that is disabled can't log in."""
    row = db.session.execute(
        sa.select(User.id, User.password_hash, User.active).where(User.email == email)
    ).one_or_none()
    if row is None:
        return None
    return Account(user_id=row.id, password_hash=row.password_hash if row.active else "")


def client_network() -> str:
    """Return the network of the client; empty if only a proxy's address is known."""
    if not current_app.config["PROXIES"] and "X-Forwarded-For" in request.headers:
        if "proxies" not in _warnings:
            _warnings.add("proxies")
            _log.warning(
                "studio.login: requests come through a proxy, but FLASK_PROXIES is 0. Log-ins "
                "are throttled by account only. Set FLASK_PROXIES to the number of proxies."
            )
        return ""
    return throttle.network_of(request.remote_addr)


def begin_session(
    user_id: int, method: str, keys: list[throttle.Key] | None = None
) -> ResponseReturnValue:
    """Begin a session with a new token, which replaces the one of this browser."""
    current = guard.visit().session
    with transaction() as session:
        throttle.forget(session, keys or [])
        if current is not None:
            sessions.end(session, current.login_id)
        token = sessions.begin(session, user_id, request, guard.now(), method=method)
        for delete_old in (throttle.delete_old, sessions.delete_old, events.delete_old):
            delete_old(session, guard.now())
    response = continue_after_login(token)
    sessions.send_cookies(response, request, token, user_id)
    guard.visit().session = None  # the row that it describes may be gone
    return response


def continue_after_login(token: str) -> Response:
    """Lead to the page that asked for the log-in, or offer the form that it interrupted."""
    target = safe_target(request.form.get("next", ""))
    fields = carried_fields()
    if not fields:
        return make_response(redirect(target, HTTPStatus.SEE_OTHER))
    page = render_template(
        "studio/login/resume.html", target=target, fields=fields, token=guard.token_for(token)
    )
    return make_response(page)


def carried_fields() -> list[tuple[str, str]]:
    """Return the fields of the interrupted form, which the log-in form carries."""
    return [
        (name.removeprefix(guard.KEPT), value)
        for name, value in request.form.items(multi=True)
        if name.startswith(guard.KEPT)
    ]


def safe_target(target: str) -> str:
    """Return a path of the studio; anything else becomes its front page."""
    return target if _NEXT.fullmatch(target) and "//" not in target else "/studio"


def refuse(delay: timedelta, reason: str) -> ResponseReturnValue:
    """Answer 429: the same for known and unknown accounts."""
    seconds = math.ceil(delay.total_seconds())
    unit = "second" if seconds == 1 else "seconds"
    response = show_again(f"{reason} Try again in {seconds} {unit}.", HTTPStatus.TOO_MANY_REQUESTS)
    response.headers["Retry-After"] = str(seconds)
    return response


def show_again(error: str, status: HTTPStatus) -> Response:
    """Show the form again, with the fields that it carries."""
    target = safe_target(request.form.get("next", ""))
    page = render_template(
        "studio/login/show.html",
        next=target,
        kept=carried_fields(),
        error=error,
        email=request.form.get("email", ""),
    )
    return make_response(page, status)


@bp.post("/logout")
def log_out() -> ResponseReturnValue:
    """End this session, and delete what the studio has stored in the browser."""
    with transaction() as session:
        sessions.end(session, guard.current_session().login_id)
    guard.visit().session = None
    response = make_response(redirect("/studio/login", HTTPStatus.SEE_OTHER))
    sessions.remove_cookie(response, request)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response
