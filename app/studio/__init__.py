"""The studio: private views for writers, editors and owners, one file per resource.

Nothing below /studio and /preview is stored by a cache: see `app.private_paths`.
"""

from __future__ import annotations

from flask import Blueprint, Flask, abort
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.private_paths import PREFIXES

from . import (
    account,
    authors,
    cli,
    copies,
    errors,
    guard,
    home,
    links,
    login,
    media,
    menu,
    posts,
    previews,
    publishing,
    redirects,
    revisions,
    settings,
    setup,
    topics,
    users,
)
from .policies import STUDIO

RESOURCES = (
    home,
    login,
    setup,
    links,
    account,
    users,
    posts,
    copies,
    revisions,
    previews,
    publishing,
    redirects,
    settings,
    authors,
    topics,
    menu,
    media,
)
"""The modules with a blueprint `bp`; the rule of each of their routes is in `roles.py`."""


def init_app(app: Flask) -> None:
    """Register every resource below one blueprint, and answer every other path of the prefixes."""
    studio = cached(STUDIO)(Blueprint("studio", __name__, url_prefix="/studio"))
    for resource in RESOURCES:
        studio.register_blueprint(resource.bp)
    studio.before_request(guard.check_request)
    studio.after_request(guard.finish)
    studio.teardown_request(guard.close_files)
    studio.context_processor(guard.template_values)
    errors.register(studio)
    app.register_blueprint(studio)
    app.register_blueprint(previews.public)
    app.register_blueprint(make_unknown_paths())
    cli.init_app(app)


def make_unknown_paths() -> Blueprint:
    """Return the routes of all paths of the prefixes at which nothing is.

    They make the generated configuration of each edge bypass its cache for the whole prefix, and
    no route of the public site can match below it.
    """
    unknown = cached(STUDIO)(Blueprint("private_paths", __name__))
    for prefix in PREFIXES:
        unknown.add_url_rule(f"{prefix}/<path:rest>", prefix[1:], answer_not_found)
    unknown.add_url_rule("/preview", "preview_root", answer_not_found)
    return unknown


def answer_not_found(rest: str = "") -> ResponseReturnValue:
    """Answer that nothing is here."""
    del rest
    abort(404)
