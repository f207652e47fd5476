"""The site in numbers."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import exports, site

from . import policies, serializers, shapes
from .descriptions import describe

bp = Blueprint("summary", __name__, url_prefix="/api/summary")


@bp.get("")
@cached(policies.API)
@describe(shapes.Summary)
def show() -> ResponseReturnValue:
    """Show how many posts there are, and the dates of the first and the last."""
    (title, tagline), numbers = site.columns("title", "tagline"), exports.summary()
    return jsonify(
        shapes.Summary(
            title=title,
            tagline=tagline,
            url=serializers.url("/"),
            articles=numbers.articles,
            pages=numbers.pages,
            topics=numbers.topics,
            authors=numbers.authors,
            words=numbers.words,
            newest_at=serializers.instant(numbers.newest_at),
            oldest_at=serializers.instant(numbers.oldest_at),
        )
    )
