"""Topics in JSON."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import topics

from . import policies, serializers

bp = Blueprint("topics", __name__, url_prefix="/api/topics")


@bp.get("")
@cached(policies.API)
def index() -> ResponseReturnValue:
    """Every topic that has articles, with how many."""
    return jsonify(
        topics=[
            serializers.topic(topic.topic)
            | {"description": topic.topic.description, "count": topic.count}
            for topic in topics.with_articles()
        ]
    )
