"""Old addresses that differ by their query: `/?p=20` leads to a post, `/?utm_source=x` to nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from app.edge.cdn.site_description import RouteRule
from app.edge.flask.site_description import list_route_rules
from app.edge.pages.tables import page, short_page
from app.edge.testing import assert_hit
from app.extensions import db
from app.publishing.models import Post, Redirect, Status
from app.publishing.paths import QUERY_NAMES, QUERY_PATHS

from . import content


@pytest.mark.parametrize(
    "address",
    [
        "/?p=20",
        "/?p=20&utm_source=news&fbclid=1",
        "/index.php?p=20",
        "/index.php?utm_source=news&p=20",
    ],
)
def test_an_old_address_with_a_query_leads_to_its_post(app: Flask, address: str) -> None:
    """In one redirect, whether or not a tracker was added, and at both names of the front page."""
    content.old_path("/?p=20", to=content.post("New"))
    answer = app.test_client().get(address)
    assert (answer.status_code, answer.location) == (301, "/articles/new")


def test_the_two_front_pages_never_redirect_in_a_circle(app: Flask) -> None:
    """`/index.php?p=20` takes the redirect of `/?p=20`, unless that leads back."""
    content.old_path("/?p=20", to="/index.php?p=20")
    client = app.test_client()
    assert client.get("/?p=20").location == "/index.php?p=20"
    assert client.get("/index.php?p=20").location == "/"
    content.old_path("/?p=21", to="https://old.example/?p=21")
    assert client.get("/?p=21").location == "https://old.example/?p=21"


def test_several_parameters_make_one_address(app: Flask) -> None:
    """They may stand in any order; a part of them is another address."""
    content.old_path("/?cat=3&feed=rss2", to="/topics/harbour/feed.xml")
    client = app.test_client()
    assert client.get("/?cat=3&feed=rss2").location == "/topics/harbour/feed.xml"
    assert client.get("/?feed=rss2").location == "/"


@pytest.mark.parametrize("address", ["/", "/?utm_source=x", "/?gclid=1&utm_medium=p%3D20"])
def test_the_front_page_needs_no_redirect(app: Flask, address: str) -> None:
    """It is shown with and without trackers, though another query redirects."""
    content.old_path("/?p=20", to=content.post("New"))
    assert app.test_client().get(address).status_code == 200


@pytest.mark.parametrize("address", ["/?p=21", "/?page_id=20", "/?p=2%00", "/?p=" + "9" * 600])
def test_a_query_that_leads_nowhere_redirects_to_the_front_page(app: Flask, address: str) -> None:
    """No cache stores this redirect, because the query may lead to a post tomorrow."""
    content.old_path("/?p=20", to=content.post("New"))
    answer = app.test_client().get(address)
    assert (answer.status_code, answer.location) == (301, "/")
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_front_page_of_other_tools_redirects_to_ours(app: Flask) -> None:
    """Or to the target that an editor has chosen for `/index.php`."""
    client = app.test_client()
    assert client.get("/index.php").location == "/"
    content.old_path("/index.php", to="/archive")
    assert client.get("/index.php").location == "/archive"


def test_a_draft_is_not_given_away(app: Flask) -> None:
    """A query of a draft answers like one of no post at all."""
    content.old_path("/?p=20", to=content.post("Draft", status=Status.DRAFT))
    answer = app.test_client().get("/?p=20")
    assert (answer.location, answer.headers["Cache-Control"]) == ("/", "no-store")


def test_the_front_page_reads_no_redirect(app: Flask) -> None:
    """A site without old addresses pays nothing for them: the table is not read."""
    statements: list[str] = []
    sa.event.listen(
        db.engine, "before_cursor_execute", lambda *args: statements.append(str(args[2]))
    )
    assert app.test_client().get("/").status_code == 200
    assert statements
    assert not any("FROM redirect" in statement for statement in statements)


def test_a_new_redirect_shows_at_once_and_purges_no_front_page(
    make_app: Callable[..., Flask],
) -> None:
    """Whether the query led nowhere or elsewhere before, and again when the redirect is removed."""
    client = make_app(EDGE_GATEWAY=True).test_client()
    post_id = content.post("New").id
    db.session.remove()
    client.get("/")
    assert client.get("/?p=20").location == "/"
    content.old_path("/?p=20", to=db.session.get_one(Post, post_id))
    db.session.remove()
    assert client.get("/?p=20").location == "/articles/new"
    assert_hit(client.get("/?p=20"))
    db.session.execute(sa.update(Redirect).values(post_id=None, target="/archive"))
    db.session.commit()
    assert client.get("/?p=20").location == "/archive"
    db.session.execute(sa.delete(Redirect))
    db.session.commit()
    assert client.get("/?p=20").location == "/"
    assert_hit(client.get("/"))


def test_a_renamed_post_takes_its_query_along(make_app: Callable[..., Flask]) -> None:
    """The stored redirect is purged when the post moves."""
    client = make_app(EDGE_GATEWAY=True).test_client()
    post = content.post("New")
    content.old_path("/?p=20", to=post)
    db.session.remove()
    assert client.get("/?p=20").location == "/articles/new"
    db.session.add(post)
    post.slug = "newer"
    db.session.commit()
    assert client.get("/?p=20").location == "/articles/newer"


def test_a_flood_of_queries_is_stored_nowhere(make_app: Callable[..., Flask]) -> None:
    """Neither in the gateway nor in the page index; the front page stays where it was."""
    client = make_app(EDGE_GATEWAY=True).test_client()
    client.get("/")
    tables = (page, short_page)
    before = [db.session.scalar(sa.select(sa.func.count()).select_from(t)) for t in tables]
    for number in range(30):
        status = client.get(f"/?p={number}").headers["Cache-Status"]
        assert "stored" not in status
    after = [db.session.scalar(sa.select(sa.func.count()).select_from(t)) for t in tables]
    assert before == after
    assert_hit(client.get("/"))


def test_every_edge_is_told_of_these_parameters(app: Flask) -> None:
    """The routes declare them, and all generated configurations are made from the routes."""
    rules: dict[str, RouteRule] = {rule.url_rule: rule for rule in list_route_rules(app)}
    for path in QUERY_PATHS:
        assert rules[path].query_params == tuple(sorted(QUERY_NAMES))
    assert len(QUERY_NAMES) <= 10  # CloudFront's limit
