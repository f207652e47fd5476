"""The list of posts, and what happens to a post apart from its text."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.publishing import actions
from app.publishing.errors import Invalid, Missing
from app.publishing.models import Author, Kind, Post, Status, Topic
from app.publishing.paths import normal
from app.publishing.queries import post_list, previews, publications, revisions, working_copies

from .forms import read_version
from .guard import current_actor, now

bp = Blueprint("posts", __name__)


@bp.get("/posts")
def index() -> ResponseReturnValue:
    """The posts that the user may see."""
    actor = current_actor()
    post_filter = _read_filter()
    page = post_list.load_page(post_filter, actor)
    is_plain = post_filter.page == 1 and not (
        post_filter.words or post_filter.author_id or post_filter.topic_id
    )
    shows_new = is_plain and post_filter.status in {None, Status.DRAFT}
    return render_template(
        "studio/posts/index.html",
        page=page,
        wanted=post_filter,
        new_copies=post_list.load_new_copies(actor) if shows_new else [],
        authors=working_copies.names_of(Author),
        topics=working_copies.names_of(Topic),
        statuses=list(Status),
    )


def _read_filter() -> post_list.PostFilter:
    """Return the filter of the query; a value that means nothing is left out."""
    status = request.args.get("status", "")
    return post_list.PostFilter(
        status=Status(status) if status in list(Status) else None,
        words=request.args.get("q", "")[:200],
        author_id=request.args.get("author", type=int),
        topic_id=request.args.get("topic", type=int),
        page=min(max(request.args.get("page", 1, type=int), 1), 10_000),
    )


@bp.post("/posts")
def begin() -> ResponseReturnValue:
    """Begin a new article or page."""
    kind = Kind.PAGE if request.form.get("kind") == Kind.PAGE else Kind.ARTICLE
    copy = actions.create_copy(kind, now=now(), actor=current_actor())
    return redirect(url_for("studio.copies.edit", copy_id=copy.id), HTTPStatus.SEE_OTHER)


@bp.get("/posts/<number:post_id>")
def show(post_id: int) -> ResponseReturnValue:
    """One post: its state, its history and what can be done with it."""
    post = revisions.post_with_revisions(post_id, current_actor())
    return _render_post(post)


def _render_post(post: Post, *, error: Invalid | None = None, slug: str = "") -> str:
    copy = post_list.copy_of(post.id)
    return render_template(
        "studio/posts/show.html",
        post=post,
        copy=copy,
        links=previews.links_of(copy, now()) if copy else [],
        publications=publications.of_post(post.id),
        revisions=revisions.of_post(post)[:5],
        error=error,
        slug=slug or post.slug,
    )


@bp.post("/posts/<number:post_id>/edit")
def edit(post_id: int) -> ResponseReturnValue:
    """Open the working copy of the post."""
    copy = actions.open_copy(post_id, now=now(), actor=current_actor())
    return redirect(url_for("studio.copies.edit", copy_id=copy.id), HTTPStatus.SEE_OTHER)


@bp.post("/posts/<number:post_id>/unpublish")
def unpublish(post_id: int) -> ResponseReturnValue:
    """Make the post a draft."""
    return _change(post_id, "unpublish")


@bp.post("/posts/<number:post_id>/archive")
def archive(post_id: int) -> ResponseReturnValue:
    """Archive the post."""
    return _change(post_id, "archive")


def _change(post_id: int, change: str) -> ResponseReturnValue:
    publication = actions.change_post(
        post_id,
        change,
        expected_version=read_version(request.form),
        now=now(),
        actor=current_actor(),
    )
    target = url_for("studio.publishing.show", publication_id=publication.id)
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.post("/posts/<number:post_id>/rename")
def rename(post_id: int) -> ResponseReturnValue:
    """Give the post another slug."""
    slug = request.form.get("slug", "").strip()
    actor, version = current_actor(), read_version(request.form)
    try:
        publication = actions.move_post(
            post_id, slug, expected_version=version, now=now(), actor=actor
        )
    except Invalid as error:
        post = revisions.post_with_revisions(post_id, actor)
        return _render_post(post, error=error, slug=slug), HTTPStatus.UNPROCESSABLE_ENTITY
    target = url_for("studio.publishing.show", publication_id=publication.id)
    return redirect(target, HTTPStatus.SEE_OTHER)


@bp.get("/edit")
def find() -> ResponseReturnValue:
    """Find the post at a public path."""
    try:
        post_id = post_list.id_at(normal(urlsplit(request.args.get("path", "")).path or "/"))
    except ValueError:
        post_id = None
    if post_id is None:
        raise Missing("There is no post at this address.")
    return redirect(url_for("studio.posts.show", post_id=post_id), HTTPStatus.SEE_OTHER)
