"""Purge drivers that the settings of an app configure."""

from __future__ import annotations

import pytest
from flask import Flask

from app.edge.flask import requirements
from app.edge.flask.edge_drivers import drivers_from_settings
from app.edge.policy.policy import PolicyError

TOKEN = {"EDGE_CLOUDFLARE_TOKEN": "token", "EDGE_CLOUDFLARE_ZONE": "0" * 32}


def _app(**config: str) -> Flask:
    app = Flask(__name__)
    app.config.update(config)
    return app


def test_a_configured_driver_without_its_extra_is_refused_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The message names the missing package and the extra that installs it."""
    monkeypatch.setattr(requirements, "find_spec", lambda name: None if name == "httpx" else name)
    make = drivers_from_settings(_app(**TOKEN), "https://blog.example")
    with pytest.raises(PolicyError, match=r"cloudflare needs httpx: install the extra \[cdn\]"):
        make("cloudflare")


def test_an_edge_that_is_not_configured_needs_no_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings of a driver, no package is required."""
    monkeypatch.setattr(requirements, "find_spec", lambda _name: None)
    make = drivers_from_settings(_app(), "https://blog.example")
    assert [make(name) for name in ("cloudflare", "varnish", "nginx", "unheard-of")] == [None] * 4
