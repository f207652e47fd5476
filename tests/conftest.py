"""What every test may ask for: an app over a migrated database of its own, and a client."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from app.extensions import alembic, db


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the developer's own machine reaches a test."""
    for name in list(os.environ):
        if name.startswith("FLASK_") or name in {"DATABASE_URL", "PORT", "SECRET_KEY", "SITE_URL"}:
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty, migrated SQLite database to copy from."""
    folder = tmp_path_factory.mktemp("migrated")
    app = create_app({"INSTANCE": str(folder), "SECRET_KEY": "test", "EDGE_GATEWAY": False})
    with app.app_context():
        alembic.upgrade()
        db.session.remove()
        db.engine.dispose()
    return folder / "broadsheet.db"


@pytest.fixture
def app(tmp_path: Path, migrated: Path) -> Iterator[Flask]:
    """An app in test mode over an empty, migrated SQLite database, without the gateway."""
    shutil.copy(migrated, tmp_path / "broadsheet.db")
    app = create_app(
        {"INSTANCE": str(tmp_path), "SECRET_KEY": "test", "EDGE_GATEWAY": False, "TESTING": True},
    )
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of `app`."""
    return app.test_client()
