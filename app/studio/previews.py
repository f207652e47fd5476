"""Previews: the editor's frame, and the secret links for people without an account."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import (
    Blueprint,
    abort,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.edge import cached
from app.extensions import db
from app.middleware.security_headers import CONTENT_SECURITY
from app.publishing import actions
from app.publishing.actions import CopyFields
from app.publishing.actions.preview_links import hash_token
from app.publishing.errors import Missing
from app.publishing.models import Kind, Post
from app.publishing.queries import articles, previews, working_copies

from . import errors
from .forms import read_fields
from .guard import current_actor, now
from .names import load_names
from .policies import STUDIO

bp = Blueprint("previews", __name__)

public = cached(STUDIO)(Blueprint("preview", __name__))
errors.register(public)


def _without_scripts(frame_ancestors: str) -> str:
    """Return the site's Content-Security-Policy for a page without scripts and requests."""
    replacements = {
        "script-src": "'none'",
        "connect-src": "'none'",
        "form-action": "'none'",
        "frame-ancestors": frame_ancestors,
    }
    directives = dict(part.strip().split(" ", 1) for part in CONTENT_SECURITY.split(";"))
    return "; ".join(f"{name} {value}" for name, value in {**directives, **replacements}.items())


IN_FRAME = _without_scripts("'self'")
ALONE = _without_scripts("'none'")


@bp.get("/copies/<number:copy_id>/preview")
def show(copy_id: int) -> ResponseReturnValue:
    """Show the saved working copy as readers would see it."""
    copy = working_copies.by_id(copy_id, current_actor())
    return _answer(_build(copy_id, CopyFields.from_json(copy.fields)), IN_FRAME)


@bp.post("/copies/<number:copy_id>/preview")
def render(copy_id: int) -> ResponseReturnValue:
    """Show the text of the form as readers would see it; nothing is saved."""
    data: Any = request.get_json() if request.is_json else request.form
    return _answer(_build(copy_id, read_fields(data, load_names())), IN_FRAME)


def _build(copy_id: int, fields: CopyFields) -> Post:
    copy = working_copies.by_id(copy_id, current_actor())
    post = working_copies.post_of(copy)
    return previews.build_post(db.session(), fields, copy.kind, post, now())


def _answer(post: Post, content_security: str, folder: str = "site") -> Response:
    with db.session.no_autoflush:
        response = make_response(render_page(post, folder))
    response.headers["Content-Security-Policy"] = content_security
    return response


def render_page(post: Post, folder: str = "site") -> str:
    """Return the page of a post that is not saved, with the templates of the public site."""
    if post.kind is Kind.PAGE:
        return render_template(f"{folder}/pages/show.html", page=post)
    around = articles.surroundings(post)
    return render_template(
        f"{folder}/articles/show.html",
        article=post,
        neighbours=around.neighbours,
        topic=around.topic,
        related=around.related,
    )


@bp.post("/copies/<number:copy_id>/links")
def create(copy_id: int) -> ResponseReturnValue:
    """Make a preview link, and show its address, which is not stored."""
    label = request.form.get("label", "")
    link, token = actions.create_preview_link(
        copy_id, label=label, now=now(), actor=current_actor()
    )
    address = f"{current_app.config['SITE_URL']}/preview/{token}"
    return render_template(
        "studio/previews/created.html", copy_id=copy_id, link=link, address=address
    )


@bp.post("/previews/<number:link_id>/revoke")
def revoke(link_id: int) -> ResponseReturnValue:
    """End a preview link."""
    link = actions.revoke_preview_link(link_id, now=now(), actor=current_actor())
    target = (
        url_for("studio.posts.show", post_id=link.post_id)
        if link.post_id
        else url_for("studio.copies.edit", copy_id=link.working_copy_id)
    )
    return redirect(target, HTTPStatus.SEE_OTHER)


@public.get("/preview/<token>")
def open_link(token: str) -> ResponseReturnValue:
    """Show what a preview link leads to; nothing about it is stored or indexed."""
    instant = datetime.now(UTC)
    try:
        link = previews.by_token_hash(hash_token(token), instant)
    except Missing as error:
        abort(HTTPStatus.NOT_FOUND, str(error))
    copy, post = previews.target_of(link)
    if copy is not None:
        saved = working_copies.post_of(copy)
        fields = CopyFields.from_json(copy.fields)
        preview = previews.build_post(db.session(), fields, copy.kind, saved, instant)
    elif post is not None:
        preview = previews.build_post(
            db.session(), previews.fields_of(post), post.kind, post, instant
        )
    else:
        abort(HTTPStatus.NOT_FOUND)
    return _answer(preview, ALONE, "studio/previews")
