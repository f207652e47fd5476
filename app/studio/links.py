"""Invitations and reset links. GET changes nothing, because link scanners fetch every link."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, current_app, make_response, render_template, request
from flask.typing import ResponseReturnValue

from app.extensions import db
from app.publishing.editing import validation
from app.publishing.errors import Invalid
from app.publishing.models import Purpose

from . import accounts, guard, login, new_password

bp = Blueprint("links", __name__)


def link_url(purpose: Purpose, token: str) -> str:
    """Return the address to hand over."""
    return f"{current_app.config['SITE_URL']}/studio/{purpose}/{token}"


@bp.get("/invite/<token>", defaults={"purpose": Purpose.INVITE})
@bp.get("/reset/<token>", defaults={"purpose": Purpose.RESET})
def show(token: str, purpose: Purpose) -> ResponseReturnValue:
    """Show the form of a link that can be used."""
    link = accounts.find_link(db.session(), token, purpose, guard.now())
    return render_template("studio/links/show.html", link=link, error=None)


@bp.post("/invite/<token>", defaults={"purpose": Purpose.INVITE})
@bp.post("/reset/<token>", defaults={"purpose": Purpose.RESET})
def use(token: str, purpose: Purpose) -> ResponseReturnValue:
    """Make the account, or set the password; then log in."""
    link = accounts.find_link(db.session(), token, purpose, guard.now())
    db.session.rollback()  # no read transaction stays open while the password is hashed
    try:
        name = request.form.get("name", "")
        if purpose is Purpose.INVITE:
            validation.clean_line("name", name, limit=200)
        password_hash = new_password.hash_posted(link.email)
    except Invalid as error:
        page = render_template("studio/links/show.html", link=link, error=error)
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    if purpose is Purpose.INVITE:
        user_id = accounts.accept_invitation(token, name, password_hash, now=guard.now())
    else:
        user_id = accounts.reset_password(token, password_hash, now=guard.now())
    return login.begin_session(user_id, "link")
