"""A decorator of the app, `docache`, that sets Expires and Cache-Control."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, Response, json

from app.edge import cache_control
from app.edge.http.dates import format_http_date
from app.edge.testing import assert_hit, assert_stored

if TYPE_CHECKING:
    from collections.abc import Callable

    from app.edge.testing import FrozenClock


def docache(
    minutes: int = 5, content_type: str = "application/json; charset=utf-8"
) -> Callable[[Callable[..., str]], Callable[..., Response]]:
    """Set Expires and Cache-Control, as the tutorial does: with the machine's local time."""

    def decorate(view: Callable[..., str]) -> Callable[..., Response]:
        @wraps(view)
        def wrapped(*args: Any, **params: Any) -> Response:
            then = datetime.now() + timedelta(minutes=minutes)  # noqa: DTZ005 - as in the tutorial
            response = Response(view(*args, **params), content_type=content_type)
            response.headers.add("Expires", then.strftime("%a, %d %b %Y %H:%M:%S GMT"))
            response.headers.add("Cache-Control", f"public,max-age={int(60 * minutes)}")
            return response

        return wrapped

    return decorate


def get_summary() -> str:
    """A summary as JSON."""
    return json.dumps({"count": 5})


@pytest.mark.parametrize("minutes", [1, 5])
def test_a_json_summary_is_cached_for_some_minutes(
    app: Flask, clock: FrozenClock, minutes: int
) -> None:
    """Its Expires is in GMT and agrees with Date and max-age, though the decorator's did not."""
    view = docache(minutes=minutes, content_type="application/json")(get_summary)
    app.add_url_rule("/summary", "summary", view)
    response = app.test_client().get("/summary")
    assert response.json == {"count": 5}
    assert response.content_type == "application/json"
    assert response.headers.getlist("Cache-Control") == [f"public, max-age={60 * minutes}"]
    assert response.headers["Date"] == format_http_date(clock.timestamp())
    expires = format_http_date((clock() + timedelta(minutes=minutes)).timestamp())
    assert response.headers.getlist("Expires") == [expires]


def test_the_default_content_type_is_kept(app: Flask) -> None:
    """With its character set."""
    app.add_url_rule("/summary", "summary", docache()(get_summary))
    response = app.test_client().get("/summary")
    assert response.content_type == "application/json; charset=utf-8"


def test_the_decorator_of_the_library_says_the_same(app: Flask) -> None:
    """In one line, and without a wrapper."""

    @app.get("/ours")
    @cache_control(public=True, max_age=timedelta(minutes=5))
    def ours() -> Response:
        return Response(get_summary(), content_type="application/json")

    app.add_url_rule("/theirs", "theirs", docache(content_type="application/json")(get_summary))
    client = app.test_client()
    mine, other = dict(client.get("/ours").headers), dict(client.get("/theirs").headers)
    assert mine == other


def test_the_second_reader_gets_a_hit(
    behind_gateway: Callable[[], Flask], clock: FrozenClock
) -> None:
    """The gateway stores the summary for five minutes."""
    app = behind_gateway()
    app.add_url_rule("/summary", "summary", docache(content_type="application/json")(get_summary))
    client = app.test_client()
    assert_stored(client.get("/summary"))
    clock.advance(timedelta(minutes=4))
    assert_hit(client.get("/summary"))
    clock.advance(timedelta(minutes=2))
    assert_stored(client.get("/summary"))
