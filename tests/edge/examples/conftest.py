"""A Flask app and its `Edge`, as examples in tutorials write them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask

from app.edge.flask import Edge
from app.edge.testing import FrozenClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def clock() -> FrozenClock:
    """Return a clock that stands still."""
    return FrozenClock()


@pytest.fixture
def bare(tmp_path: Path) -> Flask:
    """Return an app without an edge; no CDN is in front of it."""
    app = Flask("example", root_path=str(tmp_path), instance_path=str(tmp_path / "instance"))
    app.secret_key = "secret"
    app.config |= {"EDGE": "", "EDGE_GATEWAY": "off"}
    return app


@pytest.fixture
def app(bare: Flask, clock: FrozenClock) -> Flask:
    """Return the app with its edge."""
    Edge().init_app(bare, clock=clock)
    return bare


@pytest.fixture
def behind_gateway(bare: Flask, clock: FrozenClock, tmp_path: Path) -> Callable[[], Flask]:
    """Return a function that puts the app behind the gateway; its static folder must exist."""

    def make() -> Flask:
        bare.config |= {"EDGE_GATEWAY": "on", "EDGE_STORE": str(tmp_path / "store")}
        Edge().init_app(bare, clock=clock, gateway={"site": "http://localhost"})
        return bare

    return make
