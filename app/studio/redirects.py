"""Redirects: list, add, delete."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.publishing import actions
from app.publishing.errors import Conflict, Invalid
from app.publishing.paths import normal
from app.publishing.queries import post_list, redirect_list

from .guard import current_actor, now

bp = Blueprint("redirects", __name__)

LAST_PAGE = 10_000


@bp.get("/redirects")
def index() -> ResponseReturnValue:
    """List the redirects, searched by words."""
    return _page()


def _page(*, error: Invalid | Conflict | None = None) -> Response:
    number = min(max(request.args.get("page", 1, type=int), 1), LAST_PAGE)
    words = request.args.get("q", "")[:200]
    page = render_template(
        "studio/redirects/index.html",
        page=redirect_list.load_page(words, number),
        words=words,
        number=number,
        error=error,
        source=request.form.get("source", ""),
        target=request.form.get("target", ""),
    )
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY if error else HTTPStatus.OK)


@bp.post("/redirects")
def add() -> ResponseReturnValue:
    """Add a redirect; a form with an error is shown again with its values."""
    source, target = (request.form.get(name, "").strip() for name in ("source", "target"))
    post_id = _find_post(target)
    try:
        added = actions.add_redirect(
            source,
            post_id=post_id,
            target=target if post_id is None else None,
            now=now(),
            actor=current_actor(),
        )
    except Invalid as error:
        return _page(error=error)
    except Conflict as error:
        return _page(error=Invalid("source", str(error)))
    return redirect(url_for("studio.redirects.index", q=added.source), HTTPStatus.SEE_OTHER)


def _find_post(target: str) -> int | None:
    """Return the post at the path, so that the redirect follows it when it is renamed."""
    if not target.startswith("/") or "#" in target:
        return None
    try:
        return post_list.id_at(normal(target))
    except ValueError:
        return None


@bp.post("/redirects/<number:redirect_id>/delete")
def delete(redirect_id: int) -> ResponseReturnValue:
    """Delete a redirect and return to the list with the same search."""
    actions.delete_redirect(redirect_id, actor=current_actor())
    words = request.form.get("q", "")[:200]
    return redirect(url_for("studio.redirects.index", q=words or None), HTTPStatus.SEE_OTHER)
