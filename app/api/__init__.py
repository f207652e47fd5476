"""The public site in JSON, under the same names."""

from __future__ import annotations

from flask import Blueprint, Flask

from . import authors, downloads, index, pages, posts, summary, topics

RESOURCES = (index, posts, pages, topics, authors, summary, downloads)


def init_app(app: Flask) -> None:
    """Register every resource below one blueprint."""
    api = Blueprint("api", __name__)
    for resource in RESOURCES:
        api.register_blueprint(resource.bp)
    app.register_blueprint(api)
    app.json.sort_keys = False  # type: ignore[attr-defined]  # Flask's own provider has it
