"""Topics in JSON."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import topics

from . import policies, serializers, shapes
from .descriptions import describe

bp = Blueprint("topics", __name__, url_prefix="/api/topics")


@bp.get("")
@cached(policies.API)
@describe(shapes.TopicList)
def index() -> ResponseReturnValue:
    """Every topic that has articles, with how many."""
    rows = [serializers.counted_topic(topic) for topic in topics.with_articles()]
    return jsonify(shapes.TopicList(topics=rows))
