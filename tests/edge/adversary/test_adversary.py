"""No ordinary write leaves a page of an ordinary query stale, and few others are purged."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.config.parsers import database_url
from tests.depth import choose_cases

from .models import db
from .site import Site, all_pages, make_app
from .writes import WRITES


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    """The site over an own database, with a choice of its pages at `DEPTH=fast`."""
    is_postgresql = request.param == "postgresql"
    url = f"sqlite:///{tmp_path / 'site.db'}"
    if is_postgresql:
        url = database_url(request.getfixturevalue("empty_postgres_url"))
    pages = list(choose_cases(all_pages(postgresql=is_postgresql)))
    app = make_app(tmp_path, url, pages)
    yield Site(app, pages)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.mark.timeout(1800)
def test_no_ordinary_write_leaves_a_stale_page(site: Site) -> None:
    """After each write each page equals the result of its query; few unchanged pages are purged."""
    site.visit_all()
    for name, write in choose_cases(list(WRITES.items()), start=1):
        site.write(name, write)
    report = site.report
    if path := os.environ.get("ADVERSARY_REPORT"):
        Path(path).write_text("\n".join(report.to_lines()))
    assert report.stale == []
    assert report.unstored_urls == set()
    assert report.share < 0.15, "\n".join(report.to_lines())
