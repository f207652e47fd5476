"""Topics: list, add, edit and merge them."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.wrappers import Response

from app.publishing import actions
from app.publishing.actions import TopicDraft
from app.publishing.errors import Conflict, Invalid
from app.publishing.models import Topic
from app.publishing.queries import post_labels

from .forms import FormError, read_texts
from .guard import current_actor, now

bp = Blueprint("topics", __name__)

EMPTY = TopicDraft(name="")


@bp.get("/topics")
def index() -> ResponseReturnValue:
    """List the topics, with a form for a new one."""
    return _render_list()


def _render_list(draft: TopicDraft = EMPTY, error: FormError | None = None) -> Response:
    page = render_template(
        "studio/topics/index.html",
        topics=post_labels.list_topics(current_actor()),
        draft=draft,
        error=error,
    )
    return make_response(page, error.status if error else HTTPStatus.OK)


@bp.post("/topics")
def create() -> ResponseReturnValue:
    """Add a topic."""
    draft = _read_draft()
    try:
        actions.save_topic(draft, now=now(), actor=current_actor())
    except (Invalid, Conflict) as error:
        return _render_list(draft, FormError.from_action(error))
    return redirect(url_for("studio.topics.index"), HTTPStatus.SEE_OTHER)


@bp.get("/topics/<int:topic_id>")
def show(topic_id: int) -> ResponseReturnValue:
    """Show the form of one topic."""
    topic = post_labels.find_topic(topic_id)
    return _render_topic(topic, _draft_of(topic))


def _draft_of(topic: Topic) -> TopicDraft:
    return TopicDraft(name=topic.name, slug=topic.slug, description=topic.description)


def _render_topic(topic: Topic, draft: TopicDraft, error: FormError | None = None) -> Response:
    page = render_template(
        "studio/topics/show.html",
        topic=topic,
        draft=draft,
        error=error,
        topics=post_labels.list_topics(current_actor()),
    )
    return make_response(page, error.status if error else HTTPStatus.OK)


@bp.post("/topics/<int:topic_id>")
def save(topic_id: int) -> ResponseReturnValue:
    """Save one topic."""
    draft = _read_draft()
    try:
        actions.save_topic(draft, now=now(), actor=current_actor(), topic_id=topic_id)
    except (Invalid, Conflict) as error:
        topic = post_labels.find_topic(topic_id)
        return _render_topic(topic, draft, FormError.from_action(error))
    return redirect(url_for("studio.topics.index"), HTTPStatus.SEE_OTHER)


@bp.post("/topics/<int:topic_id>/merge")
def merge(topic_id: int) -> ResponseReturnValue:
    """Merge the topic into another one and delete it."""
    topic = post_labels.find_topic(topic_id)
    try:
        into_id = _read_other_topic(topic_id)
        into = actions.merge_topics(topic_id, into_id=into_id, now=now(), actor=current_actor())
    except Invalid as error:
        return _render_topic(topic, _draft_of(topic), FormError.from_action(error))
    target = url_for("studio.topics.show", topic_id=into.id)
    return redirect(target, HTTPStatus.SEE_OTHER)


def _read_other_topic(topic_id: int) -> int:
    """Return the id of the chosen topic; raises Invalid if none is chosen."""
    into_id = request.form.get("into", type=int)
    if into_id is None or into_id == topic_id:
        raise Invalid("into", "Choose the topic that shall have the posts.")
    return into_id


def _read_draft() -> TopicDraft:
    return TopicDraft(**read_texts(request.form, ("name", "slug", "description")))
