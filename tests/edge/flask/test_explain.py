"""Explain pages of a site: why one is cached, which show a post, and purging by hand."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.config.parsers import database_url
from app.edge import cached
from app.edge.flask import explain, relay
from app.edge.pages.tables import page
from app.edge.testing import assert_hit, assert_miss
from app.extensions import db
from app.publishing.models import Kind, Post
from app.publishing.transaction import transaction
from app.site import policies

from ...conftest import open_app
from ...live.postgres import Postgres
from ...site import content

OLD, NEW = content.day(1), content.day(90)
SHOWING = ("/articles/lanterns", "/articles/tides", "/topics/harbour", "/archive/2024")
"""The pages on which the first article stands."""

WARM = ("/", "/articles/lanterns", "/articles/tides", "/about", "/topics/harbour", "/archive/2024")


def fill() -> None:
    """Create two neighbouring articles, twenty newer ones, and a page."""
    content.post("Lanterns", at=OLD, topics=["Harbour"], authors=["Ada"])
    content.post("Tides", at=OLD + timedelta(hours=1))
    for number in range(20):
        content.post(f"Later {number}", at=NEW + timedelta(days=number))
    content.post("About", kind=Kind.PAGE, menu_position=1)


@pytest.fixture(scope="module")
def site_folder(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A database in which every page of WARM is registered, to copy from."""
    folder = tmp_path_factory.mktemp("asked")
    shutil.copy(migrated, folder / "broadsheet.db")
    for app in open_app(folder):
        fill()
        db.session.remove()
        warm(app)
    return folder / "broadsheet.db"


@pytest.fixture(scope="module")
def asked_postgres(
    tmp_path_factory: pytest.TempPathFactory, postgres: Postgres, migrated_postgres: str
) -> Iterator[str]:
    """The name of such a database on PostgreSQL."""
    url = postgres.create(template=migrated_postgres)
    for app in open_app(tmp_path_factory.mktemp("asked"), DATABASE_URL=database_url(url)):
        fill()
        db.session.remove()
        warm(app)
    yield url.rpartition("/")[2]
    postgres.drop(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.live)])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Flask]:
    """A site over each database, without a gateway; every page of WARM is registered."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("site_folder"), tmp_path / "broadsheet.db")
        yield from open_app(tmp_path)
        return
    postgres = request.getfixturevalue("postgres")
    url = postgres.create(template=request.getfixturevalue("asked_postgres"))
    yield from open_app(tmp_path, DATABASE_URL=database_url(url))
    postgres.drop(url)


def warm(app: Flask) -> None:
    """Request the pages, each in its own context, as on a server."""
    for path in WARM:
        assert ask(app, path).status_code == 200


def ask(app: Flask, path: str) -> TestResponse:
    """Ask for a page."""
    answer = app.test_client().get(path)
    db.session.remove()
    return answer


@pytest.fixture
def gated(site_folder: Path, make_app: Callable[..., Flask], tmp_path: Path) -> FlaskClient:
    """A client of a site with a gateway, every page of WARM in it."""
    shutil.copy(site_folder, tmp_path / "broadsheet.db")
    app = make_app(EDGE_GATEWAY=True)
    client = app.test_client()
    for path in WARM:
        client.get(path)
        db.session.remove()
        assert_hit(client.get(path))
    return client


def run(app: Flask, *words: str) -> str:
    """The output of a `flask edge` command that succeeds."""
    result = app.test_cli_runner().invoke(args=["edge", *words])
    db.session.remove()
    assert result.exit_code == 0, result.output
    return result.output


def test_why_tells_policy_copy_and_what_was_read(site: Flask) -> None:
    """The text contains the names of the rows."""
    explanation = explain.why(site, "/articles/lanterns")
    assert (explanation.url, explanation.status, explanation.policy) == (
        "/articles/lanterns",
        200,
        "ARTICLE",
    )
    assert explanation.fresh
    assert len(explanation.variants) == 1
    text = "\n".join(explanation.to_lines())
    assert "post 'Lanterns': its " in text
    assert "post 'Tides': its " in text
    assert "topic 'Harbour'" in text
    assert "the template site/articles/show.html" in text
    assert "the setting SITE_URL" in text
    assert "the code of app" in explanation.built_from
    assert "may be cached until" in text


def test_why_registers_nothing(site: Flask) -> None:
    """A page without a copy still has none."""
    before = registered()
    explanation = explain.why(site, "/topics")
    assert explanation.variants == ()
    assert "no shared cache may hold it now" in "\n".join(explanation.to_lines())
    assert registered() == before


def registered() -> int:
    """Return the number of pages in the index."""
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(page)) or 0


def test_why_names_the_last_change_that_touched_the_page(site: Flask) -> None:
    """It also reports that the registered copy differs from a fresh render."""
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == "lanterns").values(title="Lamps"))
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == "later-7").values(title="Elsewhere"))
    db.session.remove()
    explanation = explain.why(site, "/articles/lanterns")
    assert explanation.last_change is not None
    assert explanation.last_change.what.endswith("got another title")
    assert explanation.fresh is False


def test_why_tells_where_the_page_is(gated: FlaskClient) -> None:
    """In the gateway with its age, and its pending purges per tier; no access is counted."""
    app, path = gated.application, "/articles/lanterns"
    store = app.extensions["edge"].embedded_gateway.store
    gated.get(path, buffered=True)  # a page is packed when its reader is done
    visits = dict(store.most_requested(99))
    explanation = explain.why(app, path)
    text = "\n".join(explanation.to_lines())
    assert re.search(
        r"gateway has it: \d+ s old, fresh for 86\d{3} s, as br and gzip and iden", text
    )
    (before,) = explanation.to_json()["places"]["tiers"]
    assert dict(store.most_requested(99)) == visits
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == "lanterns").values(title="Lamps"))
    db.session.remove()
    explanation = explain.why(app, path)
    (after,) = explanation.to_json()["places"]["tiers"]
    assert after["purged"] > (before["purged"] or "")
    text = "\n".join(explanation.to_lines())
    assert "This machine's gateway does not have it." in text
    assert re.search(r"gateway-\w+: last purged at 20\d\d-", text)
    assert re.search(r"of the log, on 20\d\d-.* UTC: post .* got another title", text)


def test_why_explains_what_is_not_kept(site: Flask) -> None:
    """There is no copy of the page."""
    ask(site, "/edge/no-store")
    explanation = explain.why(site, "/edge/no-store")
    assert (explanation.variants, explanation.policy) == ((), "NO_STORE")


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    """The whole app on SQLite, for `any_app`; this folder's conftest has a small app."""
    return make_app()


def test_why_tells_what_keeps_a_page_from_being_shared(any_app: Flask) -> None:
    """In this case a view that writes."""

    @any_app.get("/it/writes")
    @cached(policies.PAGE)
    def writes() -> str:
        db.session.execute(sa.update(Post).values(version=Post.version))
        db.session.scalars(sa.select(Post)).all()
        return "written"

    assert "writes to the database" in explain.why(any_app, "/it/writes").unshareable_reason


def test_trouble_with_the_triggers_is_a_reason(site: Flask) -> None:
    """Nothing is shared until they are installed again."""
    break_triggers()
    site.extensions["edge"].tracker.drift_monitor.check_now()
    assert "flask edge triggers install" in explain.why(site, "/").unshareable_reason


def break_triggers() -> None:
    """Drop a trigger by hand."""
    on = " ON post" if db.engine.dialect.name == "postgresql" else ""
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER edge_post_update{on}")


def test_why_understands_a_whole_url(site: Flask) -> None:
    """The URL can be copied from a browser."""
    assert explain.why(site, f"{site.config['SITE_URL']}/about").url == "/about"


def test_why_and_who_as_json(site: Flask) -> None:
    """--json contains the same data."""
    why = json.loads(run(site, "why", "/about", "--json"))
    assert (why["policy"], why["fresh"], len(why["kept"])) == ("PAGE", True, 1)
    who = json.loads(run(site, "who", "about", "--json"))
    assert "/about" in who["urls"]


def test_who_lists_the_pages_that_show_a_post(site: Flask) -> None:
    """By its slug or by its path; pages that show something else are not among them."""
    impact = explain.who(site, "lanterns")
    assert {*SHOWING} <= {*impact.urls}
    assert "/about" not in impact.urls
    assert explain.who(site, "/articles/lanterns") == impact
    assert run(site, "who", "lanterns").startswith("A change of post 'Lanterns' affects ")


def test_who_of_one_column(site: Flask) -> None:
    """Lists don't show bodies."""
    body = {*SHOWING} & {*explain.who(site, "lanterns", columns=["body_html"]).urls}
    assert body == {"/articles/lanterns"}
    assert {*SHOWING} <= {*explain.who(site, "lanterns", columns=["title"]).urls}


def test_who_of_another_table(site: Flask) -> None:
    """A topic and an author can be named as well."""
    assert "/topics/harbour" in explain.who(site, "harbour").urls
    assert "/articles/lanterns" in explain.who(site, "ada", table="author").urls


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["who", "nothing"], "There is no post and no author and no topic 'nothing'."),
        (["who", "ada", "--table", "post"], "There is no post 'ada'."),
        (["who", "ada", "--table", "user"], "Table user has no lookup column"),
        (["who", "lanterns", "--column", "colour"], "post has no column colour."),
        (["purge", "--post", "nothing"], "There is no post"),
        (["purge"], "Give one of --url, --post, --all and --retry"),
        (["purge", "--all", "--url", "/"], "Give one of --url, --post, --all and --retry"),
    ],
)
def test_what_nobody_knows_is_said_in_a_sentence(
    site: Flask, words: list[str], sentence: str
) -> None:
    """The exit status is not 0."""
    result = site.test_cli_runner().invoke(args=["edge", *words])
    assert result.exit_code > 0
    assert sentence in result.output


def test_asking_costs_the_same_on_a_larger_site(site: Flask) -> None:
    """As many statements with four times the posts."""
    before = {words: statements(site, words) for words in (("why", "/"), ("who", "lanterns"))}
    for number in range(60):
        content.post(f"More {number}", at=OLD + timedelta(days=3, hours=number))
    db.session.remove()
    assert {words: statements(site, words) for words in before} == before


def statements(app: Flask, words: tuple[str, ...]) -> int:
    """Return the number of statements that a command executes."""
    app.extensions[
        "edge"
    ].tracker.drift_monitor.check_now()  # the monitor itself checks every two seconds
    statements_sent: list[str] = []

    def note(*arguments: object) -> None:
        statements_sent.append(str(arguments[2]))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        run(app, *words)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return len(statements_sent)


def test_a_purge_of_a_url_purges_it_alone(gated: FlaskClient) -> None:
    """Before the command ends."""
    assert explain.purge(gated.application, url="/about").urls == ("/about",)
    assert_miss(gated.get("/about"))
    assert_hit(gated.get("/"))


def test_a_purge_of_a_post_purges_whatever_shows_it(gated: FlaskClient) -> None:
    """Other pages stay stored."""
    run(gated.application, "purge", "--post", "/articles/lanterns")
    for path in ("/articles/lanterns", "/articles/tides", "/topics/harbour"):
        assert_miss(gated.get(path))
    assert_hit(gated.get("/about"))


def test_a_purge_of_everything(gated: FlaskClient) -> None:
    """Every page is rendered again."""
    assert "everything" in run(gated.application, "purge", "--all")
    for path in WARM:
        assert_miss(gated.get(path))


def test_a_url_that_was_never_registered_is_purged_all_the_same(gated: FlaskClient) -> None:
    """A cache may still store it."""
    assert explain.purge(gated.application, url="/who/knows?x=1").urls == ("/who/knows?x=1",)


def test_status_tells_how_many_purged_pages_had_changed(site: Flask) -> None:
    """A page that renders with the same bytes after a purge counts as unchanged."""
    assert "No purged page has been rendered again yet." in list(relay.status(site).to_lines())
    retitle("Lanterns", "Lamps")
    warm(site)
    precision = relay.status(site).precision
    assert (precision.rendered_again, precision.unchanged) == (len(SHOWING), 0)
    retitle("Lamps", "Lights")
    retitle("Lights", "Lamps")
    warm(site)
    report = relay.status(site)
    assert report.to_json()["precision"] == {
        "renewed": 2 * len(SHOWING),
        "unchanged": len(SHOWING),
        "ratio": 0.5,
    }
    sentence = "Of 8 purged pages that were rendered again, 4 had changed: a precision of 0.50."
    assert sentence in list(report.to_lines())


def test_why_tells_how_often_a_page_was_purged_in_vain(site: Flask) -> None:
    """This shows for each page whether its purges are too coarse."""
    retitle("Lanterns", "Lamps")
    warm(site)
    (variant,) = explain.why(site, "/topics/harbour").variants
    assert variant.to_text().endswith(
        "; rendered again after 1 purge, never with identical content"
    )


def retitle(title: str, other: str) -> None:
    """Give a post another title."""
    with transaction() as session:
        session.scalars(sa.select(Post).where(Post.title == title)).one().title = other
    db.session.remove()
