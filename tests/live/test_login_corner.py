"""The script of the recipe docs/library/login-corner.md, in a browser."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from tests.edge.library_copy import copy_library
from tests.edge.test_recipes import extract_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.live


@pytest.fixture
def site(tmp_path: Path) -> Iterator[str]:
    """Run the recipe with its gateway beside a copy of the library, and return its URL."""
    copy_library(tmp_path, "edge")
    extract_files("login-corner.md", tmp_path)
    settings = {
        "FLASK_SECRET_KEY": "k",
        "FLASK_EDGE_GATEWAY": "on",
        "FLASK_EDGE_STORE": str(tmp_path / "store"),
        "PYTHONUNBUFFERED": "1",
    }
    command = [sys.executable, "-m", "flask", "--app", "app", "run", "--port", "0"]
    with subprocess.Popen(
        command, cwd=tmp_path, env={**os.environ, **settings}, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        lines = iter(server.stderr.readline, "")
        urls = (re.search(r"Running on (http://\S+)", line) for line in lines)
        yield next(match[1] for match in urls if match)
        server.kill()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Return a page of a new reader."""
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def test_the_corner_shows_the_reader_until_the_logout(site: str, page: Page) -> None:
    """A stranger requests no fragment; a reader who has logged out is not shown by Back either."""
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.goto(site)
    corner = page.locator("#corner")
    expect(corner).to_have_text("Log in")
    assert f"{site}/corner" not in requests
    corner.get_by_role("link").click()
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill("a secret")
    page.get_by_role("button").click()
    expect(corner).to_contain_text("ann")
    assert f"{site}/corner" in requests
    corner.get_by_role("button").click()
    expect(corner).to_have_text("Log in")
    page.go_back()
    expect(page.locator("#corner")).to_have_text("Log in")


def test_a_second_reader_gets_the_stored_page(site: str, page: Page) -> None:
    """The response comes from the gateway."""
    page.goto(site)
    response = page.goto(site)
    assert response is not None
    assert "hit" in response.headers["cache-status"]
