"""What the walks promise to try: every action, every shared route; and that they find what is old."""

from __future__ import annotations

import inspect
from contextlib import closing
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.routing import MapAdapter

from app.publishing import actions

from .never_stale.caches import Gateway
from .never_stale.databases import SqliteFile
from .never_stale.random_walk import DOORS, prove, shortened
from .never_stale.site_pair import Newsroom, short_lists
from .never_stale.urls import ADDRESSES


def test_every_action_has_a_door() -> None:
    """Whoever adds one says here how it is tried."""
    verbs = {name for name in actions.__all__ if inspect.isfunction(getattr(actions, name))}
    assert verbs - DOORS.keys() == set()


def test_every_shared_route_has_an_address(app: Flask) -> None:
    """Apart from files, and from pages that show the time and promise no more."""
    state = app.extensions["edge"]
    shared_endpoints = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if (policy := state.policy_for_endpoint(app, rule.endpoint).policy).is_shareable
        and policy.purged
    }
    adapter = app.url_map.bind("localhost")
    visited_endpoints = {
        adapter.match(path.partition("?")[0])[0] for path in ADDRESSES if is_route(adapter, path)
    }
    assert shared_endpoints - visited_endpoints == {"static"}


def is_route(adapter: MapAdapter, path: str) -> bool:
    """Tell whether an address is any route's."""
    return adapter.test(path.partition("?")[0])


@pytest.mark.slow
def test_a_purge_that_is_lost_is_found(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk tells the seed, and the few steps that show it."""
    short_lists(monkeypatch)
    with closing(Newsroom(tmp_path, SqliteFile(tmp_path, migrated))) as newsroom:
        edge = Gateway(newsroom.site)
        monkeypatch.setattr(edge._gateway, "purge", lambda _url: 0)
        with pytest.raises(AssertionError, match=r"SEED=7 .* is old") as raised:
            prove(newsroom, edge, count=24, seed=7)
    assert str(raised.value).count("Step(") < 5


def test_a_walk_is_shortened_to_what_fails() -> None:
    """Two of the steps are needed; the others are left out."""
    required_steps = {3, 77}
    remaining = shortened(list(range(100)), lambda steps: required_steps <= set(steps))
    assert remaining == [3, 77]
