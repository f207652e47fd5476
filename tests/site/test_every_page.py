"""Claims about every kind of page at once."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit
from urllib.robotparser import RobotFileParser

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.engine import Connection

from app.edge.flask.routes import routes
from app.extensions import db
from tests.conftest import open_app

from .conftest import PATHS
from .content import day, post
from .html import Page, problems


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_well_formed(site_app: Flask, path: str) -> None:
    """Balanced, one heading, no double ids, sized images, nothing inline, nothing foreign."""
    answer = site_app.test_client().get(path)
    assert answer.status_code == (404 if path == "/nothing-here" else 200)
    assert answer.content_type == "text/html; charset=utf-8"
    assert problems(answer.text) == []


EMPTY_PAGES = {"/", "/topics", "/authors", "/archive", "/search"}
"""The lists that a site without posts shows empty."""


@pytest.mark.parametrize("path", PATHS)
def test_a_page_of_an_empty_site_is_empty_or_not_found(app: Flask, path: str) -> None:
    """Before anything is published, lists are empty; a page that needs a row is a 404."""
    answer = app.test_client().get(path)
    is_there = path.partition("?")[0] in EMPTY_PAGES or path.startswith("/edge/")
    assert answer.status_code == (200 if is_there else 404)
    assert problems(answer.text) == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_sets_no_cookie_and_varies_on_none(site_app: Flask, path: str) -> None:
    """A page is the same for every reader; one shows what an edge does with a cookie."""
    answer = site_app.test_client().get(path)
    assert ("Set-Cookie" in answer.headers) == (path == "/edge/cookie")
    assert "Cookie" not in answer.headers.get("Vary", "")
    assert answer.headers["Cache-Control"]


@pytest.mark.parametrize(
    "path", [p for p in PATHS if not p.startswith(("/search", "/edge", "/nothing"))]
)
def test_a_page_says_its_one_address(site_app: Flask, path: str) -> None:
    """The canonical link comes from SITE_URL, never from the Host header."""
    answer = site_app.test_client().get(path, headers={"Host": "evil.example"})
    links = Page(answer.text).all("link")
    canonical = [link["href"] for link in links if link["rel"] == "canonical"]
    assert canonical == [f"http://127.0.0.1:8000{path}"]
    assert "evil.example" not in answer.text


def test_links_of_pages_lead_somewhere(site_app: Flask) -> None:
    """Every link on every page is answered without a redirect."""
    client = site_app.test_client()
    paths = {
        link.partition("#")[0]
        for path in PATHS
        for link in Page(client.get(path).text).links()
        if link.startswith("/")
    } - {""}
    answers = {path: client.get(path).status_code for path in sorted(paths)}
    assert {path: status for path, status in answers.items() if status != 200} == {}


def test_what_pages_load_is_there(site_app: Flask) -> None:
    """Every style sheet, icon and image is answered."""
    client = site_app.test_client()
    loaded = set()
    for path in PATHS:
        page = Page(client.get(path).text)
        relations = {"stylesheet", "icon", "apple-touch-icon", "preload", "alternate"}
        loaded |= {link["href"] for link in page.all("link") if link["rel"] in relations}
        loaded |= {image["src"] for image in page.all("img")}
    answers = {path: client.get(path).status_code for path in sorted(loaded)}
    assert {path: status for path, status in answers.items() if status != 200} == {}


DATETIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,3})?(Z|[+-]\d\d:\d\d)")
"""An instant as the `datetime` attribute allows it: a fraction has three digits at most."""


@pytest.mark.parametrize("path", PATHS)
def test_every_time_element_has_a_valid_instant(site_app: Flask, path: str) -> None:
    """Microseconds are invalid in HTML."""
    times = Page(site_app.test_client().get(path).text).all("time")
    assert [time for time in times if not DATETIME.fullmatch(time["datetime"])] == []


@pytest.mark.parametrize("path", PATHS)
def test_a_page_that_crawlers_may_not_read_has_no_robots_meta(site_app: Flask, path: str) -> None:
    """A crawler that obeys robots.txt never sees the `noindex` of such a page."""
    client = site_app.test_client()
    robots = RobotFileParser()
    robots.parse(client.get("/robots.txt").text.splitlines())
    answer = client.get(path)
    metas = [meta for meta in Page(answer.text).all("meta") if meta.get("name") == "robots"]
    is_hidden = bool(metas) or "noindex" in answer.headers.get("X-Robots-Tag", "")
    assert not (is_hidden and not robots.can_fetch("*", path))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_other_sites_may_show_the_share_image(site_app: Flask, path: str, method: str) -> None:
    """Social networks and readers of feeds embed it, so its resource policy is cross-origin."""
    client = site_app.test_client()
    for meta in Page(client.get(path).text).all("meta"):
        if meta.get("property") == "og:image":
            url = urlsplit(meta["content"]).path
            answer = client.open(url, method=method)
            assert answer.status_code == 200
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"


MOST_STATEMENTS = {
    "/": 8,
    "/articles/lanterns": 13,
    "/about": 5,
    "/topics": 4,
    "/topics/harbour": 10,
    "/topics/harbour/pages/1": 9,
    "/authors": 4,
    "/archive": 5,
    "/archive/pages/1": 8,
    "/archive/2024": 6,
    "/search?q=text": 8,
    "/nothing-here": 8,
    "/feed.xml": 5,
    "/feed.rss": 5,
    "/articles/lanterns.md": 4,
    "/about.md": 2,
    "/llms.txt": 4,
    "/sitemap.xml": 5,
    "/api/posts": 5,
    "/api/posts?updated_since=2020-01-01T00:00:00Z": 5,
    "/api/pages": 1,
    "/api/authors": 1,
    "/api": 0,
    "/api/openapi.json": 1,
    "/downloads/posts.csv": 3,
}


@pytest.fixture(scope="module")
def larger(tmp_path_factory: pytest.TempPathFactory, content_file: Path) -> Iterator[Flask]:
    """The site with ten more articles."""
    folder = tmp_path_factory.mktemp("larger")
    shutil.copy(content_file, folder / "broadsheet.db")
    for app in open_app(folder):
        for more in range(100, 110):
            post(f"More {more}", at=day(more), topics=["Harbour"], authors=["Ada"], cover=True)
        db.session.remove()
        yield app


@contextmanager
def count_statements() -> Iterator[list[str]]:
    """The statements that the page executes meanwhile, those of transactions aside."""
    executed: list[str] = []

    def note(conn: Connection, _cursor: object, statement: str, *_: object) -> None:
        registering = conn.get_execution_options().get("edge_internal")
        if not registering and not statement.startswith("BEGIN"):
            executed.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield executed
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(("path", "most"), MOST_STATEMENTS.items(), ids=list(MOST_STATEMENTS))
def test_a_page_is_a_fixed_number_of_statements(
    site_app: Flask, larger: Flask, path: str, most: int
) -> None:
    """Ten more articles don't mean one more statement."""
    counts = []
    for app in (site_app, larger):
        with app.app_context(), count_statements() as executed:
            app.test_client().get(path)
        counts.append(len(executed))
    assert counts[0] == counts[1] <= most


def test_every_route_carries_a_named_policy(app: Flask) -> None:
    """None is left to the default, and none but the page that shows it is no-store."""
    listed = {route.rule: route for route in routes(app)}
    assert [rule for rule, route in listed.items() if route.source == "none"] == []
    kept_by_nobody = {rule for rule, route in listed.items() if route.policy == "NO_STORE"}
    assert kept_by_nobody == {"/edge/no-store"}
    assert listed["/search"].query == ("order", "page", "q")
