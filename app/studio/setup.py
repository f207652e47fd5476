"""The set-up link: it makes the first owner, once."""

from __future__ import annotations

import hmac
from http import HTTPStatus

from flask import Blueprint, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue

from app.extensions import db
from app.publishing.editing import validation
from app.publishing.errors import Invalid, Missing

from . import accounts, guard, login, new_password

bp = Blueprint("setup", __name__)


def find_setup_url() -> str | None:
    """Return the set-up link of this installation; None if there is an owner."""
    token = accounts.setup_token(db.session())
    db.session.rollback()
    return f"{current_app.config['SITE_URL']}/studio/setup/{token}" if token else None


@bp.get("/setup/<token>")
def show(token: str) -> ResponseReturnValue:
    """Show the form for the first owner."""
    _require_valid(token)
    return render_template("studio/setup/show.html", error=None)


@bp.post("/setup/<token>")
def set_up(token: str) -> ResponseReturnValue:
    """Make the first owner and log in."""
    _require_valid(token)
    try:
        email = accounts.clean_email(request.form.get("email", ""))
        name = validation.clean_line("name", request.form.get("name", ""), limit=200)
        password_hash = new_password.hash_posted(email)
    except Invalid as error:
        page = render_template("studio/setup/show.html", error=error)
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    owner = accounts.NewUser(email=email, name=name, password_hash=password_hash)
    user_id = accounts.set_up_owner(token, owner, now=guard.now())
    return login.begin_session(user_id, "setup")


def _require_valid(token: str) -> None:
    """Raise Missing unless this is the link of an installation without an owner."""
    valid_token = accounts.setup_token(db.session())
    db.session.rollback()
    if valid_token is None or not hmac.compare_digest(valid_token.encode(), token.encode()):
        raise Missing(accounts.GONE)
