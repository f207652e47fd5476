"""The editor: a working copy is loaded, saved, compared and discarded."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from flask import Blueprint, jsonify, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.middleware.security_headers import CONTENT_SECURITY
from app.publishing import actions
from app.publishing.actions import CopyFields, Rebase, SavedCopy, SaveOutcome
from app.publishing.editing.copy_fields import merge_fields
from app.publishing.editing.working_copies import StaleCopyError
from app.publishing.errors import Conflict, Invalid, Missing
from app.publishing.models import Fork, Status, WorkingCopy
from app.publishing.queries import (
    copy_conflicts,
    previews,
    publications,
    revisions,
    working_copies,
)

from .forms import read_fields, read_version, to_form
from .guard import current_actor, now
from .media import ACCEPT
from .names import load_names

bp = Blueprint("copies", __name__)

WITH_FRAME = f"{CONTENT_SECURITY}; frame-src 'self'"
"""The editor shows the preview in a frame."""

NEXT = {"preview": "studio.previews.show", "publish": "studio.publishing.plan"}
"""Where a button of the editor's form leads after the save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What the editor says about the last save: an error at a field, or a merge."""

    sentence: str
    field: str = ""
    is_error: bool = True


@bp.get("/copies/<number:copy_id>")
def edit(copy_id: int) -> ResponseReturnValue:
    """Show the editor."""
    actor = current_actor()
    try:
        copy = working_copies.by_id(copy_id, actor)
    except Missing:
        return _show_gone(copy_id)
    notice = _NOTICES.get(request.args.get("note", ""))
    return render_editor(copy, CopyFields.from_json(copy.fields), notice=notice)


_NOTICES = {
    "saved": Notice(
        sentence="The working copy is saved. Readers do not see it yet.", is_error=False
    ),
    "merged": Notice(
        sentence="Another editor saved in between. Both changes are in the text now.",
        is_error=False,
    ),
    "post": Notice(sentence="The post is saved.", is_error=False),
    "resolved": Notice(sentence="The texts are one again.", is_error=False),
}


def render_editor(
    copy: WorkingCopy,
    fields: CopyFields,
    *,
    notice: Notice | None = None,
    version: int | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Response:
    """Return the page of the editor with these fields, which may not be saved."""
    names = load_names()
    page = render_template(
        "studio/copies/edit.html",
        copy=copy,
        version=copy.version if version is None else version,
        post=working_copies.post_of(copy),
        form=to_form(fields, names),
        names=names,
        pictures=working_copies.pictures(fields.cover_id),
        forks=working_copies.forks_of(copy),
        others=working_copies.other_tabs(copy, "", current_actor(), now()),
        links=previews.links_of(copy, now()),
        tab=secrets.token_hex(8),
        notice=notice,
        has_changes=copy.fields != copy.base_fields,
        Status=Status,
        accept=ACCEPT,
    )
    response = make_response(page, status)
    response.headers["Content-Security-Policy"] = WITH_FRAME
    return response


@bp.post("/copies/<number:copy_id>")
def save(copy_id: int) -> ResponseReturnValue:
    """Save the working copy: a form of the page, or JSON of the script."""
    data: Any = request.get_json() if request.is_json else request.form
    fields = read_fields(data, load_names())
    try:
        saved = _save(copy_id, fields, data)
    except Missing:
        return _answer_gone(copy_id, fields)
    except Invalid as error:
        if request.is_json:
            raise
        copy = working_copies.by_id(copy_id, current_actor())
        notice = Notice(sentence=str(error), field=error.field)
        return render_editor(
            copy,
            fields,
            notice=notice,
            version=read_version(data),
            status=HTTPStatus.UNPROCESSABLE_ENTITY,
        )
    return _answer_script(copy_id, saved) if request.is_json else _answer_form(copy_id, saved)


def _save(copy_id: int, fields: CopyFields, data: Any) -> SavedCopy:
    version, tab = read_version(data), str(data.get("tab") or "")
    return actions.save_copy(
        copy_id, fields, version=version, tab=tab, now=now(), actor=current_actor()
    )


def _answer_form(copy_id: int, saved: SavedCopy) -> ResponseReturnValue:
    if saved.outcome is SaveOutcome.FORKED:
        target = url_for("studio.copies.compare", copy_id=copy_id, fork_id=saved.fork_id)
        return redirect(target, HTTPStatus.SEE_OTHER)
    button = request.form.get("next", "")
    if button in NEXT:
        return redirect(url_for(NEXT[button], copy_id=copy_id), HTTPStatus.SEE_OTHER)
    note = "merged" if saved.outcome is SaveOutcome.MERGED else "saved"
    target = url_for("studio.copies.edit", copy_id=copy_id, note=note)
    return redirect(target, HTTPStatus.SEE_OTHER)


def _answer_script(copy_id: int, saved: SavedCopy) -> ResponseReturnValue:
    """Return the version, and the fields if a merge has changed them."""
    body: dict[str, Any] = {
        "outcome": saved.outcome,
        "version": saved.version,
        "saved_at": now().isoformat(),
    }
    if saved.outcome is SaveOutcome.MERGED:
        body["fields"] = to_form(saved.fields, load_names())
    if saved.outcome is SaveOutcome.FORKED:
        body["compare"] = url_for("studio.copies.compare", copy_id=copy_id, fork_id=saved.fork_id)
        return jsonify(body), HTTPStatus.CONFLICT
    return jsonify(body)


def _answer_gone(copy_id: int, fields: CopyFields) -> ResponseReturnValue:
    """Answer a save into a copy that was published or discarded: the text is given back."""
    publication = publications.of_copy(copy_id)
    post_id = publication.post_id if publication else None
    if request.is_json:
        edit_url = url_for("studio.posts.edit", post_id=post_id) if post_id else ""
        return jsonify(error="gone", edit=edit_url), HTTPStatus.GONE
    page = render_template("studio/copies/gone.html", fields=fields, post_id=post_id)
    return make_response(page, HTTPStatus.GONE)


def _show_gone(copy_id: int) -> ResponseReturnValue:
    """Lead from a published copy to its publication; raises Missing for another one."""
    publication = publications.of_copy(copy_id)
    if publication is None:
        raise Missing("The working copy does not exist: it was published or discarded.")
    publications.by_id(publication.id, current_actor())
    target = url_for("studio.publishing.show", publication_id=publication.id)
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.post("/copies/<number:copy_id>/discard")
def discard(copy_id: int) -> ResponseReturnValue:
    """Discard the working copy."""
    post_id = actions.discard_copy(
        copy_id, version=read_version(request.form), actor=current_actor()
    )
    target = (
        url_for("studio.posts.show", post_id=post_id) if post_id else url_for("studio.posts.index")
    )
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.post("/copies/<number:copy_id>/review")
def review(copy_id: int) -> ResponseReturnValue:
    """Ask for a review, or take the request back."""
    ready = request.form.get("ready") == "1"
    actions.request_review(copy_id, ready=ready, actor=current_actor())
    return redirect(url_for("studio.copies.edit", copy_id=copy_id), HTTPStatus.SEE_OTHER)


@bp.get("/copies/<number:copy_id>/forks/<number:fork_id>")
def compare(copy_id: int, fork_id: int) -> ResponseReturnValue:
    """Show the text of the copy and that of a fork side by side."""
    copy = working_copies.by_id(copy_id, current_actor())
    fork, writer = copy_conflicts.fork_of(copy, fork_id)
    return _render_conflict(copy, fork, writer)


def _render_conflict(
    copy: WorkingCopy, fork: Fork, writer: str, status: HTTPStatus = HTTPStatus.OK
) -> Response:
    names = load_names()
    mine, theirs = CopyFields.from_json(fork.fields), CopyFields.from_json(copy.fields)
    base = copy_conflicts.base_of(copy, fork.base_version) or theirs
    page = render_template(
        "studio/copies/conflict.html",
        copy=copy,
        action=url_for("studio.copies.resolve", copy_id=copy.id, fork_id=fork.id),
        discard=url_for("studio.copies.discard_fork", copy_id=copy.id, fork_id=fork.id),
        mine_title=f"The text that {writer or 'a writer'} data",
        theirs_title="The working copy",
        mine=to_form(mine, names),
        theirs=to_form(theirs, names),
        suggestion=to_form(merge_fields(base, mine, theirs).fields, names),
        rows=copy_conflicts.compare(theirs.body_markdown, mine.body_markdown),
        names=names,
        revision=None,
    )
    return make_response(page, status)


@bp.post("/copies/<number:copy_id>/forks/<number:fork_id>")
def resolve(copy_id: int, fork_id: int) -> ResponseReturnValue:
    """Save the text that a person has made of both."""
    fields = read_fields(request.form, load_names())
    actor, version = current_actor(), read_version(request.form)
    try:
        actions.resolve_fork(copy_id, fork_id, fields, version=version, now=now(), actor=actor)
    except StaleCopyError:
        # Keep what the person wrote: it becomes the text of the fork.
        _save(copy_id, fields, request.form)
        raise
    target = url_for("studio.copies.edit", copy_id=copy_id, note="resolved")
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.post("/copies/<number:copy_id>/forks/<number:fork_id>/discard")
def discard_fork(copy_id: int, fork_id: int) -> ResponseReturnValue:
    """Discard a fork; the copy keeps its text."""
    actions.discard_fork(copy_id, fork_id, actor=current_actor())
    return redirect(url_for("studio.copies.edit", copy_id=copy_id), HTTPStatus.SEE_OTHER)


@bp.get("/copies/<number:copy_id>/newer")
def newer(copy_id: int) -> ResponseReturnValue:
    """Show the copy and the newest revision of its post side by side."""
    copy = working_copies.by_id(copy_id, current_actor())
    post = working_copies.post_of(copy)
    revision = revisions.newest(post.id) if post else None
    if post is None or revision is None:
        raise Missing("The post was never saved.")
    names = load_names()
    mine = CopyFields.from_json(copy.fields)
    theirs = copy_conflicts.fields_of_post(post)
    base = CopyFields.from_json(copy.base_fields)
    return render_template(
        "studio/copies/conflict.html",
        copy=copy,
        action=url_for("studio.copies.rebase", copy_id=copy.id),
        discard="",
        mine_title="The working copy",
        theirs_title=f"Revision {revision.number} of the post",
        mine=to_form(mine, names),
        theirs=to_form(theirs, names),
        suggestion=to_form(merge_fields(base, mine, theirs).fields, names),
        rows=copy_conflicts.compare(theirs.body_markdown, mine.body_markdown),
        names=names,
        revision=revision.number,
    )


@bp.post("/copies/<number:copy_id>/newer")
def rebase(copy_id: int) -> ResponseReturnValue:
    """Base the copy on the newest revision, with the text that a person has made of both."""
    revision = request.form.get("revision", type=int)
    decision = Rebase(fields=read_fields(request.form, load_names()), revision=revision)
    version = read_version(request.form)
    actor = current_actor()
    try:
        actions.rebase_copy(copy_id, decision, version=version, now=now(), actor=actor)
    except Conflict:
        _save(copy_id, decision.fields, request.form)  # nothing that was written is lost
        raise
    target = url_for("studio.copies.edit", copy_id=copy_id, note="resolved")
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.get("/copies/<number:copy_id>/presence.json")
def presence(copy_id: int) -> ResponseReturnValue:
    """Tell who else has the copy open, and its version."""
    copy = working_copies.by_id(copy_id, current_actor())
    return _answer_presence(copy, request.args.get("tab", ""))


@bp.post("/copies/<number:copy_id>/presence.json")
def report_presence(copy_id: int) -> ResponseReturnValue:
    """Note that this tab is open or was closed, and tell who else has the copy open."""
    data, actor = request.get_json(), current_actor()
    tab = str(data.get("tab") or "")
    if data.get("closed"):
        actions.forget_presence(copy_id, tab, actor=actor)
    else:
        has_changes = bool(data.get("unsaved"))
        actions.record_presence(copy_id, tab, unsaved=has_changes, now=now(), actor=actor)
    return _answer_presence(working_copies.by_id(copy_id, actor), tab)


def _answer_presence(copy: WorkingCopy, tab: str) -> ResponseReturnValue:
    tabs = working_copies.other_tabs(copy, tab, current_actor(), now())
    others = [{"name": other.name, "unsaved": other.unsaved} for other in tabs]
    return jsonify(version=copy.version, others=others)
