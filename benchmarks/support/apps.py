"""Apps over one database: the real one, one without the edge's memory, and a bare Flask app."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from flask import Flask

from app import create_app, routing, site
from app.config import ROOT
from app.edge.flask import Edge
from app.extensions import alembic, db

from .content import Volume, fill


@contextmanager
def folder() -> Iterator[Path]:
    """A folder of its own, until the end."""
    with tempfile.TemporaryDirectory(prefix="broadsheet-", ignore_cleanup_errors=True) as name:
        yield Path(name)


def real(place: Path, **settings: Any) -> Flask:
    """The app as it is served, but for the relay's thread."""
    own = {
        "INSTANCE": str(place),
        "SECRET_KEY": "benchmark",
        "SITE_URL": "http://127.0.0.1:8000",
        "EDGE_BUILD": str(place.parent / "broadsheet-benchmark-build"),
        "EDGE_RELAY": False,
    }
    return create_app({**own, **settings})


def untracked(place: Path, **settings: Any) -> Flask:
    """The same app, that neither records nor registers what a page was built from."""
    with mock.patch.object(Edge, "track", return_value=None):
        return real(place, **settings)


def bare(place: Path) -> Flask:
    """Flask and Flask-SQLAlchemy with the same views, queries and templates, and no edge."""
    app = Flask(
        "bare",
        static_folder=str(ROOT / "static"),
        template_folder=str(ROOT / "templates"),
    )
    app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{place / 'broadsheet.db'}"
    app.config["SITE_URL"] = "http://127.0.0.1:8000"
    db.init_app(app)
    routing.init_app(app)
    site.init_app(app)
    return app


def filled(place: Path, volume: Volume) -> None:
    """Make the database in a folder: migrated, and full of posts."""
    app = real(place, EDGE_GATEWAY=False)
    with app.app_context():
        alembic.upgrade()
    fill(app, volume)
    close(app)


def close(*apps: Flask) -> None:
    """Let go of the databases."""
    for app in apps:
        with app.app_context():
            db.session.remove()
            db.engine.dispose()
