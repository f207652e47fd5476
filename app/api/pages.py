"""Pages in JSON."""

from __future__ import annotations

from flask import Blueprint, abort, jsonify
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.queries import pages

from . import policies, serializers, shapes
from .descriptions import describe

bp = Blueprint("pages", __name__, url_prefix="/api/pages")


@bp.get("")
@cached(policies.API)
@describe(shapes.PageList)
def index() -> ResponseReturnValue:
    """All pages, without their texts."""
    return jsonify(shapes.PageList(pages=[serializers.page(each) for each in pages.listed()]))


@bp.get("/<slug:slug>")
@cached(policies.API)
@describe(shapes.FullPage)
def show(slug: str) -> ResponseReturnValue:
    """One page with its text."""
    return jsonify(serializers.page_in_full(pages.in_full_by_slug(slug) or abort(404)))
