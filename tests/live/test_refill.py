"""Two workers, an editor in another process: readers find the new page in the gateway."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from .gunicorn import flask
from .live_site import Site, eventually, start_site

pytestmark = pytest.mark.live

PAGES = ("/", "/topics", "/archive")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, sampled: Path) -> Iterator[Site]:
    """The sample publication on two workers that refill."""
    folder = tmp_path_factory.mktemp("refilled")
    with start_site(sampled, folder, FLASK_EDGE_REFILL="on") as started:
        yield started


def is_stored(path: Path) -> bool:
    """Tell whether somebody holds the lock on a file."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def is_hit(site: Site, path: str) -> bool:
    """Ask for the page, and tell whether the gateway had it."""
    return "; hit" in site.ask(path).cache_status


def test_pages_are_back_before_their_readers(site: Site) -> None:
    """Everything was purged by a command; what readers asked for is made anew, and nothing else."""
    for path in PAGES:
        assert eventually(partial(is_hit, site, path))
        for _ in range(2):
            site.ask(path)
    site.ask("/feed.xml")
    settings = {"SITE_URL": site.url, "FLASK_EDGE_REFILL": "on"}
    command = ("edge", "purge", "--all")
    assert flask(*command, instance=site.folder, settings=settings).returncode == 0
    assert eventually(lambda: site.count() == len(PAGES))
    assert is_stored(site.store / "refill")
    assert all("; hit" in site.ask(path).cache_status for path in PAGES)
    assert "; hit" not in site.ask("/feed.xml").cache_status
