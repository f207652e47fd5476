"""A release of the site, and triggers that can't be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import ChoiceLoader, DictLoader

from app.edge.changes.metadata import set_meta
from app.edge.flask.deploy import check_triggers, reinstall_triggers, release
from app.edge.pages.tables import page
from app.edge.testing import assert_hit, assert_miss, assert_no_store
from app.extensions import alembic, db
from app.publishing.models import Kind, Post
from app.publishing.transaction import transaction

from .site import content

PATHS = ("/", "/articles/lanterns", "/about", "/feed.xml", "/robots.txt", "/no-such-page")


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of a released site with a gateway and every page in it."""
    app = make_app(EDGE_GATEWAY=True)
    content.post("Lanterns", topics=["Harbour"])
    content.post("About", kind=Kind.PAGE, menu_position=1)
    release(app)
    db.session.remove()
    client = app.test_client()
    for path in PATHS:
        client.get(path)
        db.session.remove()
    assert stored_paths(client) == {*PATHS}
    return client


def stored_paths(client: FlaskClient) -> set[str]:
    """The pages that the gateway answers by itself."""
    answers = {
        path: client.get(path, headers={"Cache-Control": "only-if-cached"}) for path in PATHS
    }
    return {path for path, answer in answers.items() if answer.status_code != 504}


def deployed(app: Flask) -> None:
    """Let the app be a process that was started just now."""
    app.extensions["edge"].tracker.parts.reset()


def test_an_edited_template_purges_the_pages_that_are_rendered_from_it(
    client: FlaskClient,
) -> None:
    """An article's own template: the article alone."""
    app = client.application
    edit(app, "site/articles/show.html")
    report = release(app)
    assert report.parts == (("template", "site/articles/show.html"),)
    assert stored_paths(client) == {*PATHS} - {"/articles/lanterns"}
    assert_miss(client.get("/articles/lanterns"))
    db.session.remove()
    assert_hit(client.get("/articles/lanterns"))


def test_an_edited_base_purges_every_page_but_what_has_no_template(client: FlaskClient) -> None:
    """Feeds and robots.txt stay."""
    edit(client.application, "site/base.html")
    release(client.application)
    assert stored_paths(client) == {"/feed.xml", "/robots.txt"}


def edit(app: Flask, name: str) -> None:
    """Change a template as a deploy does."""
    loader = app.jinja_env.loader
    assert loader is not None
    source = loader.get_source(app.jinja_env, name)[0]
    app.jinja_env.loader = ChoiceLoader([DictLoader({name: source + "\n<!-- new -->"}), loader])
    deployed(app)


@pytest.mark.parametrize(
    "module", ["app.site.articles", "app.publishing.queries.post_selects", "app.edge.flask.static"]
)
def test_a_release_with_other_code_purges_everything_once(client: FlaskClient, module: str) -> None:
    """A view, a query or this library: any code may affect any page."""
    app = client.application
    edit_code(app, module)
    report = release(app)
    assert (report.parts, report.everything) == ((("code", "app"),), "")
    assert report.pages == registered_pages()
    assert stored_paths(client) == set()
    for path in PATHS:
        client.get(path)
        db.session.remove()
    assert stored_paths(client) == {*PATHS}
    deployed(app)
    report = release(app)
    assert (report.parts, report.pages) == ((), 0)
    assert stored_paths(client) == {*PATHS}


def test_a_release_with_the_same_code_purges_nothing(client: FlaskClient) -> None:
    """A process that was started again has the same digest of its code."""
    deployed(client.application)
    assert release(client.application).parts == ()
    assert stored_paths(client) == {*PATHS}


def registered_pages() -> int:
    """The number of pages in the page index."""
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(page)) or 0


def edit_code(app: Flask, name: str) -> None:
    """Change a module as a deploy does."""
    parts = app.extensions["edge"].tracker.parts
    code = parts.code
    parts.code = replace(code, modules={**code.modules, name: code.modules[name] + b"\n# new"})
    deployed(app)


def test_another_address_of_the_site_purges_everything(client: FlaskClient) -> None:
    """Pages name it."""
    client.application.config["SITE_URL"] = "https://other.example"
    deployed(client.application)
    assert release(client.application).parts == (("setting", "SITE_URL"),)
    assert stored_paths(client) == set()


def test_2g_what_another_release_made_is_not_stored(client: FlaskClient) -> None:
    """A worker that is still running after a release shares nothing more, and says why."""
    with db.engine.begin() as connection:
        set_meta(connection, "build", "another")
    client.application.extensions["edge"].embedded_gateway.gateway.purge_all()
    answer = client.get("/about")
    assert_no_store(answer)
    assert stored_paths(client) == set()
    report = release(client.application)
    assert report.before == "another"
    client.get("/about")
    assert "/about" in stored_paths(client)


def test_a_release_in_words_and_as_json(client: FlaskClient) -> None:
    """For people and for programs."""
    runner = client.application.test_cli_runner()
    assert "nothing is purged" in runner.invoke(args=["edge", "release"]).output
    report = json.loads(runner.invoke(args=["edge", "release", "--json"]).output)
    assert (report["parts"], report["pages"], report["before"]) == ([], 0, report["build"])


def test_an_upgrade_that_migrates_nothing_purges_nothing(client: FlaskClient) -> None:
    """Every deploy upgrades; most of them find nothing to do."""
    alembic.upgrade()
    assert stored_paths(client) == {*PATHS}


def drop(app: Flask) -> None:
    """Drop a trigger by hand."""
    on = " ON post" if db.engine.dialect.name == "postgresql" else ""
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER edge_post_update{on}")


def test_a_dropped_trigger_stops_sharing_until_it_is_mended(client: FlaskClient) -> None:
    """What was kept is forgotten, what is made is not stored, and probes are told."""
    app = client.application
    drop(app)
    assert "flask edge triggers install" in client.get("/readyz").text
    assert stored_paths(client) == set()
    assert_no_store(client.get("/about"))
    result = app.test_cli_runner().invoke(args=["edge", "triggers", "check"])
    assert result.exit_code == 1
    assert "Nothing is shared" in result.output
    assert app.test_cli_runner().invoke(args=["edge", "triggers", "install"]).exit_code == 0
    db.session.remove()
    assert client.get("/readyz").status_code == 200
    client.get("/about")
    assert "/about" in stored_paths(client)


def test_what_was_written_without_triggers_is_shown_after_they_are_mended(
    client: FlaskClient,
) -> None:
    """Nobody logged it, so everything is purged."""
    drop(client.application)
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == "about").values(title="Changed"))
    db.session.remove()
    reinstall_triggers(client.application)
    assert "Changed" in client.get("/about").text


def test_triggers_are_checked_and_made_anew_on_each_database(any_app: Flask) -> None:
    """And an upgrade mends them as well."""
    assert check_triggers(any_app).trouble is None
    for mend in (lambda: reinstall_triggers(any_app), alembic.upgrade):
        drop(any_app)
        assert check_triggers(any_app).trouble is not None
        mend()
        assert check_triggers(any_app).trouble is None


def test_a_release_on_each_database(any_app: Flask) -> None:
    """Pages are registered, found again by their parts, and refused to another build."""
    content.post("About", kind=Kind.PAGE, menu_position=1)
    db.session.remove()
    release(any_app)
    assert not any_app.test_client().get("/about").cache_control.no_store
    db.session.remove()
    edit(any_app, "site/pages/show.html")
    report = release(any_app)
    assert (report.parts, report.pages) == ((("template", "site/pages/show.html"),), 1)
    with db.engine.begin() as connection:
        set_meta(connection, "build", "another")
    assert any_app.test_client().get("/about").cache_control.no_store
