from __future__ import annotations

import re

from flask import Flask


def test_the_page_that_is_never_stored_says_when_it_was_made(app: Flask) -> None:
    """And that nobody may keep it."""
    answer = app.test_client().get("/edge/no-store")
    assert re.search(r"Last generated at <time[^>]*>\d\d:\d\d:\d\d UTC", answer.text)
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_of_two_minutes_says_when_it_was_made(app: Flask) -> None:
    """And browser and edge alike may keep it for two minutes."""
    answer = app.test_client().get("/edge/two-minutes")
    assert re.search(
        r"Cached at <time[^>]*>\d\d:\d\d:\d\d UTC on [^<]*</time> for two", answer.text
    )
    assert answer.headers["Cache-Control"] == "max-age=120"


def test_the_page_with_a_cookie_keeps_it_from_shared_caches(app: Flask) -> None:
    """Each reader has another one, that scripts and other pages don't see."""
    client = app.test_client(use_cookies=False)
    one, other = (client.get("/edge/cookie") for _ in range(2))
    assert one.headers["Cache-Control"] == 'private="Set-Cookie", max-age=120'
    assert one.headers["Set-Cookie"] != other.headers["Set-Cookie"]
    assert "HttpOnly; Path=/edge/cookie; SameSite=Lax" in one.headers["Set-Cookie"]


def test_the_favicon_is_an_icon(app: Flask) -> None:
    """Browsers ask for it by a fixed address."""
    answer = app.test_client().get("/favicon.ico")
    assert answer.content_type == "image/x-icon"
    assert answer.data[:4] == b"\0\0\1\0"
