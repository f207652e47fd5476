"""A site whose settings are saved, as those of every site that is in use."""

from __future__ import annotations

import pytest
from flask import Flask

from app.extensions import db
from app.publishing import actions
from app.publishing.permissions import SYSTEM


@pytest.fixture
def app(app: Flask) -> Flask:
    """Save the settings: an unsaved row has columns that a query of some columns does not load."""
    actions.change_site({"title": "The Gazette"}, actor=SYSTEM)
    db.session.remove()
    return app
