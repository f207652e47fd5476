"""Access to the studio in a real browser: set-up link, log-out, log-in, invitation, lost session."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped]  # has no stubs
    Axe,
)
from playwright.sync_api import Browser, BrowserContext, Page

from tests.studio.people import PASSWORD

from .gunicorn import Serve
from .programs import Running

pytestmark = pytest.mark.live

PHONE, DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
PICTURES = os.environ.get("STUDIO_PICTURES", "")
"""A folder for a picture of each page, to look at."""


@contextmanager
def open_context(chromium: Browser, site: Running, **options: object) -> Iterator[Page]:
    """Open a browser of its own; errors of the console and of the CSP fail the test."""
    context: BrowserContext = chromium.new_context(base_url=site.url, **options)  # type: ignore[arg-type] # options of Playwright
    page = context.new_page()
    messages: list[str] = []
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on(
        "console",
        lambda message: (
            messages.append(message.text)
            if message.type == "error" and "status of 4" not in message.text
            else None
        ),
    )
    yield page
    assert messages == []
    context.close()


@pytest.fixture
def site(serve: Serve) -> Running:
    """An empty site without an owner; its links have its own address."""
    return serve()


def setup_url(site: Running) -> str:
    """Return the set-up link of the start log."""
    (url,) = re.findall(r"Make the first account at (\S+)", site.log.read_text())
    return str(url)


def set_up(page: Page, site: Running) -> None:
    """Make the first owner."""
    page.goto(setup_url(site))
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password again").fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()


def log_in(page: Page) -> None:
    """Fill in the log-in form."""
    page.get_by_label("E-mail address").fill("ada@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def check_page(page: Page, name: str) -> None:
    """Find no violation of axe-core in both colour schemes; nothing is wider than a phone."""
    schemes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
    for scheme in schemes:
        page.emulate_media(color_scheme=scheme)
        for size in (DESKTOP, PHONE):
            page.set_viewport_size(size)  # type: ignore[arg-type] # a size
            violations = Axe().run(page).response["violations"]
            assert [(one["id"], one["nodes"][0]["html"]) for one in violations] == [], name
            width = page.evaluate("document.documentElement.scrollWidth")
            assert width <= size["width"], (name, size)
            if PICTURES:
                file = Path(PICTURES) / f"{name}-{scheme}-{size['width']}.png"
                page.screenshot(path=file, full_page=True)


@pytest.mark.parametrize("has_script", [True, False], ids=["script", "no-script"])
def test_the_first_owner_logs_out_and_in_and_invites(
    chromium: Browser, site: Running, *, has_script: bool
) -> None:
    """With and without JavaScript; cookies stay below /studio."""
    with open_context(chromium, site, java_script_enabled=has_script) as page:
        set_up(page, site)
        assert page.url == f"{site.url}/studio"
        assert {cookie["path"] for cookie in page.context.cookies()} == {"/studio"}
        assert {cookie["httpOnly"] for cookie in page.context.cookies()} == {True}
        page.get_by_role("button", name="Log out").click()
        page.goto("/studio/users")
        log_in(page)
        assert page.url == f"{site.url}/studio/users"
        invite = page.get_by_role("region", name="Invite")
        invite.get_by_label("E-mail address").fill("bo@example.com")
        invite.get_by_role("button").click()
        link = page.get_by_label("Hand this link").input_value()
    with open_context(chromium, site, java_script_enabled=has_script) as guest:
        guest.goto(link)
        guest.get_by_label("Your name").fill("Bo")
        guest.get_by_label("New password", exact=True).fill(PASSWORD)
        guest.get_by_label("New password again").fill(PASSWORD)
        guest.get_by_role("button", name="Make the account").click()
        assert guest.get_by_role("heading", level=1).text_content() == "Good to see you, Bo"
        response = guest.goto("/studio/users")
        assert response is not None
        assert response.status == 403


def test_a_form_of_a_lost_session_is_sent_again(chromium: Browser, site: Running) -> None:
    """The session ends in another tab; the text of the form comes back after the log-in."""
    with open_context(chromium, site) as page:
        set_up(page, site)
        page.goto("/studio/users")
        invite = page.get_by_role("region", name="Invite")
        invite.get_by_label("E-mail address").fill("bo@example.com")
        other = page.context.new_page()
        other.goto("/studio")
        other.get_by_role("button", name="Log out").click()
        invite.get_by_role("button").click()
        assert page.get_by_label("email", exact=True).input_value() == "bo@example.com"
        log_in(page)
        page.get_by_role("button", name="Send again").click()
        assert "/studio/invite/" in page.get_by_label("Hand this link").input_value()


def test_every_page_is_accessible(chromium: Browser, site: Running) -> None:
    """Log-in, set-up, front page, account and users, on a phone and a desktop, light and dark."""
    with open_context(chromium, site) as page:
        page.goto(setup_url(site))
        check_page(page, "setup")
        set_up(page, site)
        for path, name in (
            ("/studio", "home"),
            ("/studio/account", "account"),
            ("/studio/users", "users"),
            ("/studio/login", "login"),
            ("/studio/none", "error"),
        ):
            page.goto(path)
            check_page(page, name)
