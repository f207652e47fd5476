"""The revisions of a post: the list, the difference of two, and restore."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from app.publishing import actions
from app.publishing.queries import copy_conflicts, revisions

from .guard import current_actor, now

bp = Blueprint("revisions", __name__)


@bp.get("/posts/<number:post_id>/revisions")
def index(post_id: int) -> ResponseReturnValue:
    """All revisions of a post, newest first."""
    post = revisions.post_with_revisions(post_id, current_actor())
    return render_template(
        "studio/revisions/index.html", post=post, revisions=revisions.of_post(post)
    )


@bp.get("/posts/<number:post_id>/revisions/<number:old>..<number:new>")
def compare(post_id: int, old: int, new: int) -> ResponseReturnValue:
    """Two revisions side by side."""
    post = revisions.post_with_revisions(post_id, current_actor())
    before, after = (revisions.by_number(post, number) for number in (old, new))
    return render_template(
        "studio/revisions/compare.html",
        post=post,
        old=before,
        new=after,
        rows=copy_conflicts.compare(before.body_markdown, after.body_markdown),
    )


@bp.post("/posts/<number:post_id>/revisions/<number:number>/restore")
def restore(post_id: int, number: int) -> ResponseReturnValue:
    """Put a revision into the working copy."""
    copy = actions.restore_revision(post_id, number, now=now(), actor=current_actor())
    return redirect(url_for("studio.copies.edit", copy_id=copy.id), HTTPStatus.SEE_OTHER)
