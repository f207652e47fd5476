"""A browser prefetches the page of a link while the pointer is on it, and fetches it only once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from tests.conftest import open_app

from .programs import free_port

pytestmark = pytest.mark.live
BOUND = 10.0


@dataclass(slots=True, kw_only=True)
class RequestLog:
    """A WSGI app that notes the path, the query and the `Sec-Purpose` of each request."""

    app: Callable[..., Iterable[bytes]]
    requests: list[tuple[str, str, str]] = field(default_factory=list)
    has_prefetch: Event = field(default_factory=Event)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Note the request and pass it on."""
        purpose = environ.get("HTTP_SEC_PURPOSE", "")
        self.requests.append((environ["PATH_INFO"], environ.get("QUERY_STRING", ""), purpose))
        body = self.app(environ, start)
        if purpose:
            self.has_prefetch.set()
        return body

    def purposes(self, path: str) -> list[str]:
        """Return the `Sec-Purpose` of each request for a path."""
        return [purpose for requested, _, purpose in self.requests if requested == path]


@pytest.fixture
def log(tmp_path: Path, content_file: Path) -> Iterator[tuple[str, RequestLog]]:
    """Serve the site; return its URL and the log of its requests."""
    shutil.copy(content_file, tmp_path / "broadsheet.db")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with contextmanager(open_app)(tmp_path, SITE_URL=url, EDGE_GATEWAY=True) as app:
        requests = RequestLog(app=app)
        server = make_server("127.0.0.1", port, requests, threaded=True)
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield url, requests
        server.shutdown()
        thread.join(BOUND)
        server.server_close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Open a page in a browser profile of its own."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def test_a_hovered_link_is_fetched_once(log: tuple[str, RequestLog], page: Page) -> None:
    """The click shows the prefetched page without a second request, although it is `max-age=0`."""
    url, requests = log
    page.goto(f"{url}/archive/2024", wait_until="networkidle")
    page.hover("main a[href='/articles/number-3']")
    assert requests.has_prefetch.wait(BOUND)
    page.click("main a[href='/articles/number-3']")
    page.wait_for_url("**/articles/number-3")
    assert page.inner_text("h1") == "Number 3"
    page.wait_for_load_state("networkidle")
    assert requests.purposes("/articles/number-3") == ["prefetch"]


def test_a_link_with_a_query_is_not_prefetched(log: tuple[str, RequestLog], page: Page) -> None:
    """Nor a feed; a link that is hovered after them is, so the rules are in use."""
    url, requests = log
    page.goto(f"{url}/search?q=text", wait_until="networkidle")
    query = page.locator("a[href*='order=date']").first
    for link in (
        query,
        page.locator("a[href='/feed.xml']").first,
        page.locator("a[href='/topics']").first,
    ):
        requests.has_prefetch.clear()
        link.hover()
        requests.has_prefetch.wait(0.5)
    assert requests.has_prefetch.wait(BOUND)
    assert [it for it in requests.requests if it[2]] == [("/topics", "", "prefetch")]


@pytest.mark.parametrize(("motion", "expected"), [("no-preference", True), ("reduce", False)])
def test_the_next_page_fades_in_unless_motion_is_reduced(
    log: tuple[str, RequestLog],
    page: Page,
    motion: Literal["no-preference", "reduce"],
    expected: bool,
) -> None:
    """The browser makes the transition between two pages itself, without a script."""
    url, _ = log
    page.emulate_media(reduced_motion=motion)
    page.add_init_script(
        "addEventListener('pagereveal', event => { window.fades = event.viewTransition !== null })"
    )
    page.goto(f"{url}/archive/2024", wait_until="load")
    page.click("main a[href='/articles/number-3']")
    page.wait_for_url("**/articles/number-3", wait_until="load")
    page.wait_for_function("'fades' in window")
    assert page.evaluate("window.fades") is expected
