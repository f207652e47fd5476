"""Processes with other settings write, publish and deliver as well: still no page is ever old."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random
from typing import Any

import pytest

from app.edge.flask import edge_drivers
from tests.depth import SEED, SHELL_STEPS

from .never_stale.caches import SharedGateway, UrlCache, UrlDriver
from .never_stale.databases import SqliteFile
from .never_stale.fresh_renders import Answer
from .never_stale.random_walk import prove
from .never_stale.site_pair import Newsroom, short_lists

SITE = "http://127.0.0.1:8010"
SHELLS: tuple[dict[str, Any], ...] = (
    {"EDGE_GATEWAY": True},
    {"EDGE_GATEWAY": True, "PORT": 9000},
    {"EDGE_GATEWAY": True, "SITE_URL": "https://example.org"},
    {"EDGE_GATEWAY": True, "EDGE": "nginx"},
    {"EDGE_GATEWAY": False},
)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_no_page_is_stale_when_processes_with_other_settings_write(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of them writes purges the one gateway, under the address that readers know."""
    short_lists(monkeypatch)
    newsroom = Newsroom(tmp_path, SqliteFile(tmp_path, migrated), others=SHELLS, SITE_URL=SITE)
    with closing(newsroom):
        prove(newsroom, SharedGateway(newsroom), count=SHELL_STEPS, seed=SEED)


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_no_page_is_stale_at_a_cache_that_others_purge_by_url(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever of them delivers names the URL that the page was registered with."""
    short_lists(monkeypatch)
    pages: dict[str, Answer] = {}
    monkeypatch.setattr(
        edge_drivers, "build_driver", lambda _name, _config, site: UrlDriver(pages, site)
    )
    others = [{**shell, "EDGE": "generic"} for shell in SHELLS]
    database = SqliteFile(tmp_path, migrated)
    newsroom = Newsroom(tmp_path, database, others=others, SITE_URL=SITE, EDGE="generic")
    with closing(newsroom):
        tally = prove(newsroom, UrlCache(newsroom, pages), count=SHELL_STEPS, seed=SEED)
    assert sum(tally.purged.values()) > SHELL_STEPS / 10  # the cache did keep pages


@pytest.mark.slow
def test_a_purge_under_another_site_is_found(
    tmp_path: Path, migrated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The walk fails where a process purges the keys of its own site alone."""
    short_lists(monkeypatch)
    newsroom = Newsroom(tmp_path, SqliteFile(tmp_path, migrated), others=SHELLS[1:3], SITE_URL=SITE)
    for app in newsroom.writers[1:]:
        worker = app.extensions["edge"].worker
        own = (app.config["SITE_URL"],)
        driver = worker._gateway_driver
        monkeypatch.setattr(driver, "_sites", lambda own=own: own)
        purge = driver._gateway.purge
        monkeypatch.setattr(
            driver._gateway, "purge", lambda url, purge=purge, own=own: own[0] in url and purge(url)
        )
    with closing(newsroom), pytest.raises(AssertionError, match=r"is old"):
        prove(newsroom, SharedGateway(newsroom), count=100, seed=Random(7).randrange(99))
