"""The user's own account: password and sessions."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.extensions import db
from app.publishing.errors import Invalid, Missing
from app.publishing.transaction import transaction

from . import accounts, guard, login, new_password, passwords, sessions, throttle

bp = Blueprint("account", __name__)


@bp.get("/account")
def show() -> ResponseReturnValue:
    """Show the account with its sessions."""
    return _page(None)


def _page(error: Invalid | None) -> str:
    current = guard.current_session()
    logins = sessions.list_of(db.session(), current.actor.user_id or 0, guard.now())
    return render_template(
        "studio/account/show.html",
        logins=logins,
        error=error,
        describe_agent=sessions.describe_agent,
    )


def _refuse(error: Invalid) -> Response:
    return make_response(_page(error), HTTPStatus.UNPROCESSABLE_ENTITY)


@bp.post("/account/password")
def change_password() -> ResponseReturnValue:
    """Set a new password: all sessions end, and a new one begins here."""
    current = guard.current_session()
    keys = throttle.keys_for(current.email, login.client_network())
    if delay := throttle.find_delay(db.session(), keys, guard.now()):
        return login.refuse(delay, "Too many attempts.")
    account = login.find_account(current.email)
    db.session.rollback()  # no read transaction stays open while the password is hashed
    try:
        with passwords.hash_slot(is_known=True):
            old = request.form.get("password", "")
            matches = passwords.verify(old, account.password_hash if account else "")
    except passwords.BusyError:
        return login.refuse(login.BUSY, "Other log-ins are being checked.")
    if not matches:
        with transaction() as session:
            throttle.count_failure(session, keys, guard.now())
        return _refuse(Invalid("old_password", "This is not your password."))
    try:
        password_hash = new_password.hash_posted(current.email)
    except Invalid as error:
        return _refuse(error)
    accounts.change_password(current.actor, password_hash, now=guard.now())
    return login.begin_session(current.actor.user_id or 0, "password", keys)


@bp.post("/sessions/<int:login_id>/end")
def end_session(login_id: int) -> ResponseReturnValue:
    """End one of the user's own sessions."""
    current = guard.current_session()
    with transaction() as session:
        if not sessions.end(session, login_id, user_id=current.actor.user_id):
            raise Missing("This session has ended already.")
    return redirect("/studio/account", HTTPStatus.SEE_OTHER)


@bp.post("/sessions/end-others")
def end_other_sessions() -> ResponseReturnValue:
    """End all of the user's sessions but this one."""
    current = guard.current_session()
    with transaction() as session:
        sessions.end_all(session, current.actor.user_id or 0, but=current.login_id)
    return redirect("/studio/account", HTTPStatus.SEE_OTHER)
