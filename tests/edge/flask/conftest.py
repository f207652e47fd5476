"""A small Flask app with an edge, as a user of the library would write it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from flask import Flask

from app.edge import Freshness, Policy
from app.edge.flask import Edge
from app.edge.testing import FrozenClock

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def policy() -> Policy:
    """Return the policy of a public page."""
    return Policy(
        name="ARTICLE",
        browser=Freshness(must_revalidate=True),
        edge=Freshness(ttl=timedelta(days=1), stale_while_revalidate=timedelta(hours=1)),
    )


@pytest.fixture
def clock() -> FrozenClock:
    """Return a clock that stands still."""
    return FrozenClock()


@pytest.fixture
def bare(tmp_path: Path) -> Flask:
    """Return a Flask app that has no edge yet; Cloudflare is in front of it."""
    app = Flask("small", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    app.secret_key = "secret"
    app.testing = True
    app.config |= {"EDGE": "cloudflare", "EDGE_GATEWAY": "off"}
    return app


@pytest.fixture
def app(bare: Flask, clock: FrozenClock) -> Flask:
    """Return the app with its edge."""
    Edge().init_app(bare, clock=clock)
    return bare
