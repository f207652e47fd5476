"""Authors: list, add and edit them."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.publishing import actions
from app.publishing.actions import AuthorDraft
from app.publishing.errors import Conflict, Invalid
from app.publishing.models import Author
from app.publishing.queries import post_labels

from .forms import FormError, read_texts
from .guard import current_actor, now

bp = Blueprint("authors", __name__)

EMPTY = AuthorDraft(name="")


@bp.get("/authors")
def index() -> ResponseReturnValue:
    """List the authors, with a form for a new one."""
    return _render_list()


def _render_list(draft: AuthorDraft = EMPTY, error: FormError | None = None) -> Response:
    page = render_template(
        "studio/authors/index.html",
        authors=post_labels.list_authors(current_actor()),
        draft=draft,
        error=error,
    )
    return make_response(page, error.status if error else HTTPStatus.OK)


@bp.post("/authors")
def create() -> ResponseReturnValue:
    """Add an author."""
    draft = _read_draft()
    try:
        actions.save_author(draft, now=now(), actor=current_actor())
    except (Invalid, Conflict) as error:
        return _render_list(draft, FormError.from_action(error))
    return redirect(url_for("studio.authors.index"), HTTPStatus.SEE_OTHER)


@bp.get("/authors/<int:author_id>")
def show(author_id: int) -> ResponseReturnValue:
    """Show the form of one author."""
    author = post_labels.find_author(author_id)
    draft = AuthorDraft(
        name=author.name, slug=author.slug, bio_markdown=author.bio_markdown, url=author.url
    )
    return _render_author(author, draft)


def _render_author(author: Author, draft: AuthorDraft, error: FormError | None = None) -> Response:
    page = render_template("studio/authors/show.html", author=author, draft=draft, error=error)
    return make_response(page, error.status if error else HTTPStatus.OK)


@bp.post("/authors/<int:author_id>")
def save(author_id: int) -> ResponseReturnValue:
    """Save one author."""
    draft = _read_draft()
    try:
        actions.save_author(draft, now=now(), actor=current_actor(), author_id=author_id)
    except (Invalid, Conflict) as error:
        author = post_labels.find_author(author_id)
        return _render_author(author, draft, FormError.from_action(error))
    return redirect(url_for("studio.authors.index"), HTTPStatus.SEE_OTHER)


def _read_draft() -> AuthorDraft:
    return AuthorDraft(**read_texts(request.form, ("name", "slug", "bio_markdown", "url")))
