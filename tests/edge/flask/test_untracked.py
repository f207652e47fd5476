"""The gateway of an app without tracking: old code, debug mode, the cap, purges by hand."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, render_template

from app.edge import Freshness, Policy, cached
from app.edge.flask import Edge
from app.edge.testing import FrozenClock, assert_hit, assert_miss, assert_no_store

LONG = Policy(
    name="LONG",
    browser=Freshness(must_revalidate=True),
    edge=Freshness(ttl=timedelta(days=1), stale_while_revalidate=timedelta(hours=1)),
)
TIMED = Policy(name="TIMED", browser=Freshness(ttl=timedelta(hours=1)), timed=True, purged=False)


def start(folder: Path, clock: FrozenClock, *, template: str = "one", **settings: Any) -> Flask:
    """Start a process of a small app with this template."""
    (folder / "templates").mkdir(exist_ok=True)
    (folder / "templates" / "page.html").write_text(template)
    app = Flask("small", root_path=str(folder), instance_path=str(folder / "instance"))
    app.config |= {"EDGE_GATEWAY": "on", "EDGE_STORE": str(folder / "store"), **settings}
    Edge().init_app(app, clock=clock, gateway={"site": "https://x.example"})
    app.add_url_rule("/", "page", cached(LONG)(lambda: render_template("page.html")))
    app.add_url_rule("/timed", "timed", cached(TIMED)(lambda: render_template("page.html")))
    return app


def get(app: Flask, path: str = "/") -> Any:
    """Ask for a page."""
    return app.test_client().get(path)


def test_a_restart_with_the_same_code_keeps_the_pages(tmp_path: Path, clock: FrozenClock) -> None:
    """The store survives a restart."""
    assert_miss(get(start(tmp_path, clock)))
    assert_hit(get(start(tmp_path, clock)))


def test_a_restart_with_another_template_shows_it(tmp_path: Path, clock: FrozenClock) -> None:
    """The pages of the old template are purged before the first response."""
    get(start(tmp_path, clock))
    response = get(start(tmp_path, clock, template="two"))
    assert_miss(response)
    assert response.data == b"two"


def test_a_restart_with_other_settings_shows_them(tmp_path: Path, clock: FrozenClock) -> None:
    """Settings of the edge are in the headers of every page."""
    get(start(tmp_path, clock))
    assert_miss(get(start(tmp_path, clock, EDGE_TTL_CAP=30)))


def test_an_older_process_shares_nothing_more(tmp_path: Path, clock: FrozenClock) -> None:
    """It may still run after a restart; its pages must not become hits."""
    old = start(tmp_path, clock)
    get(old)
    new = start(tmp_path, clock, template="two")
    get(new)
    Edge().purge_all(new)
    assert_no_store(get(old))
    assert_miss(get(new))


def test_in_debug_mode_the_gateway_keeps_nothing(tmp_path: Path, clock: FrozenClock) -> None:
    """An edited template is seen at the next reload, without a restart; `app.run(debug=True)` too."""
    app = start(tmp_path, clock, TEMPLATES_AUTO_RELOAD=True)
    get(app)
    app.debug = True
    (tmp_path / "templates" / "page.html").write_text("two")
    assert app.jinja_env.cache is not None
    app.jinja_env.cache.clear()
    for _ in range(2):
        assert get(app).data == b"two"


def test_a_page_that_nobody_purges_is_kept_for_the_cap(tmp_path: Path, clock: FrozenClock) -> None:
    """No change is purged, as with a CDN that can't be purged."""
    app = start(tmp_path, clock)
    get(app)
    clock.advance(timedelta(seconds=59))
    assert_hit(get(app))
    clock.advance(timedelta(seconds=2))
    assert_miss(get(app))


def test_a_promise_of_time_is_kept_in_full(tmp_path: Path, clock: FrozenClock) -> None:
    """It needs no purge."""
    app = start(tmp_path, clock)
    get(app, "/timed")
    clock.advance(timedelta(minutes=59))
    assert_hit(get(app, "/timed"))


@pytest.mark.parametrize("arguments", [("--all",), ("--url", "/")], ids=["all", "url"])
def test_a_purge_by_hand_empties_the_gateway(
    tmp_path: Path, clock: FrozenClock, arguments: tuple[str, ...]
) -> None:
    """`flask edge purge` needs no database."""
    app = start(tmp_path, clock)
    get(app)
    result = app.test_cli_runner().invoke(args=["edge", "purge", *arguments])
    assert result.exit_code == 0, result.output
    assert_miss(get(app))


def test_a_purge_of_a_post_needs_tracking(tmp_path: Path, clock: FrozenClock) -> None:
    """Without tracking, the pages that show it are unknown."""
    result = start(tmp_path, clock).test_cli_runner().invoke(args=["edge", "purge", "--post", "a"])
    assert result.exit_code == 1
    assert "call edge.track()" in result.output
