"""Users: list, invite, change a role, disable, enable, reset a password."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.extensions import db
from app.publishing.errors import Conflict, Invalid
from app.publishing.models import Purpose, Role
from app.publishing.permissions import PERMISSIONS, Verb

from . import accounts, guard
from .links import link_url

bp = Blueprint("users", __name__)


@bp.get("/users")
def index() -> ResponseReturnValue:
    """List the users and the open invitations."""
    return _page()


def _page(
    *,
    error: Exception | None = None,
    link: str = "",
    recipient: str = "",
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    page = render_template(
        "studio/users/index.html",
        users=accounts.list_users(db.session()),
        invitations=accounts.list_invitations(db.session(), guard.now()),
        roles=list(Role),
        permissions=PERMISSIONS,
        verbs=[verb for verb in Verb if verb is not Verb.RUN_JOBS],
        error=error,
        link=link,
        recipient=recipient,
    )
    return make_response(page, status)


@bp.post("/users/invite")
def invite() -> ResponseReturnValue:
    """Make an invitation and show its link: only its hash is stored, so it is shown once."""
    email = request.form.get("email", "")
    try:
        token = accounts.invite(email, _role(), now=guard.now(), actor=guard.current_actor())
    except (Invalid, Conflict) as error:
        return _page(error=error, status=HTTPStatus.UNPROCESSABLE_ENTITY)
    return _page(link=link_url(Purpose.INVITE, token), recipient=email)


@bp.post("/users/<int:user_id>/reset")
def make_reset_link(user_id: int) -> ResponseReturnValue:
    """Make a link for a new password and show it once."""
    try:
        token = accounts.make_reset_link(user_id, now=guard.now(), actor=guard.current_actor())
    except Conflict as error:
        return _page(error=error, status=HTTPStatus.CONFLICT)
    return _page(link=link_url(Purpose.RESET, token), recipient=request.form.get("email", ""))


@bp.post("/users/<int:user_id>/role")
def change_role(user_id: int) -> ResponseReturnValue:
    """Give the user another role."""
    try:
        accounts.set_role(user_id, _role(), now=guard.now(), actor=guard.current_actor())
    except (Invalid, Conflict) as error:
        return _page(error=error, status=HTTPStatus.CONFLICT)
    return redirect("/studio/users", HTTPStatus.SEE_OTHER)


@bp.post("/users/<int:user_id>/disable")
def disable(user_id: int) -> ResponseReturnValue:
    """Disable the account and end its sessions."""
    return _set_active(user_id, active=False)


@bp.post("/users/<int:user_id>/enable")
def enable(user_id: int) -> ResponseReturnValue:
    """Enable the account again."""
    return _set_active(user_id, active=True)


def _set_active(user_id: int, *, active: bool) -> ResponseReturnValue:
    actor = guard.current_actor()
    try:
        accounts.set_active(user_id, active=active, now=guard.now(), actor=actor)
    except Conflict as error:
        return _page(error=error, status=HTTPStatus.CONFLICT)
    return redirect("/studio/users", HTTPStatus.SEE_OTHER)


def _role() -> Role:
    try:
        return Role(request.form.get("role", ""))
    except ValueError:
        raise Invalid("role", "Choose a role: owner, editor or writer.") from None
