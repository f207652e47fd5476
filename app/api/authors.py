"""Authors in JSON."""

from __future__ import annotations

from flask import Blueprint, jsonify
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import authors

from . import policies, serializers, shapes
from .descriptions import describe

bp = Blueprint("authors", __name__, url_prefix="/api/authors")


@bp.get("")
@cached(policies.API)
@describe(shapes.AuthorList)
def index() -> ResponseReturnValue:
    """Every author who has articles, with how many."""
    rows = [serializers.counted_author(each) for each in authors.named_with_articles()]
    return jsonify(shapes.AuthorList(authors=rows))
