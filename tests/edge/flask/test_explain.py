"""What a site tells of itself: why a page is kept, who shows a post, and what is purged by hand."""

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
    """Two articles that are neighbours, twenty between them and today, and a page."""
    content.post("Lanterns", at=OLD, topics=["Harbour"], authors=["Ada"])
    content.post("Tides", at=OLD + timedelta(hours=1))
    for number in range(20):
        content.post(f"Later {number}", at=NEW + timedelta(days=number))
    content.post("About", kind=Kind.PAGE, menu_position=1)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
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
    """The name of one on PostgreSQL."""
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
        shutil.copy(request.getfixturevalue("asked"), tmp_path / "broadsheet.db")
        yield from open_app(tmp_path)
        return
    postgres = request.getfixturevalue("postgres")
    url = postgres.create(template=request.getfixturevalue("asked_postgres"))
    yield from open_app(tmp_path, DATABASE_URL=database_url(url))
    postgres.drop(url)


def warm(app: Flask) -> None:
    """Ask for the pages; a context of its own for each, as a server has it."""
    for path in WARM:
        assert ask(app, path).status_code == 200


def ask(app: Flask, path: str) -> TestResponse:
    """Ask for a page."""
    answer = app.test_client().get(path)
    db.session.remove()
    return answer


@pytest.fixture
def gated(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of a site with a gateway, every page of WARM in it."""
    app = make_app(EDGE_GATEWAY=True)
    fill()
    db.session.remove()
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
    """In words that a writer understands, with the names of things."""
    found = explain.why(site, "/articles/lanterns")
    assert (found.url, found.status, found.policy) == ("/articles/lanterns", 200, "ARTICLE")
    assert found.fresh
    assert len(found.variants) == 1
    said = "\n".join(found.to_lines())
    assert "post 'Lanterns': its " in said
    assert "post 'Tides': its " in said
    assert "topic 'Harbour'" in said
    assert "the template site/articles/show.html" in said
    assert "the setting SITE_URL" in said
    assert "the code of app.site.articles" in said
    assert "may be cached until" in said


def test_why_registers_nothing(site: Flask) -> None:
    """A page that nobody keeps is still kept by nobody."""
    before = registered()
    found = explain.why(site, "/topics")
    assert found.variants == ()
    assert "no shared cache may hold it now" in "\n".join(found.to_lines())
    assert registered() == before


def registered() -> int:
    """How many pages are in the index."""
    with db.engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(page)) or 0


def test_why_names_the_last_change_that_touched_the_page(site: Flask) -> None:
    """And tells that the registered copy differs from the page as it is now."""
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == "lanterns").values(title="Lamps"))
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == "later-7").values(title="Elsewhere"))
    db.session.remove()
    found = explain.why(site, "/articles/lanterns")
    assert found.last_change is not None
    assert found.last_change.what.endswith("got another title")
    assert found.fresh is False


def test_why_tells_where_the_page_is(gated: FlaskClient) -> None:
    """In the gateway with its age, and what each tier is owed; asking is no visit."""
    app, path = gated.application, "/articles/lanterns"
    store = app.extensions["edge"].embedded.store
    gated.get(path, buffered=True)  # a page is packed when its reader is done
    visits = dict(store.most_visited(99))
    found = explain.why(app, path)
    said = "\n".join(found.to_lines())
    assert re.search(
        r"gateway has it: \d+ s old, fresh for 86\d{3} s, as br and gzip and iden", said
    )
    (before,) = found.to_json()["places"]["tiers"]
    assert dict(store.most_visited(99)) == visits
    with transaction() as session:
        session.execute(sa.update(Post).where(Post.slug == "lanterns").values(title="Lamps"))
    db.session.remove()
    found = explain.why(app, path)
    (after,) = found.to_json()["places"]["tiers"]
    assert after["purged"] > (before["purged"] or "")
    said = "\n".join(found.to_lines())
    assert "This machine's gateway does not have it." in said
    assert re.search(r"gateway-\w+: last purged at 20\d\d-", said)
    assert re.search(r"of the log, on 20\d\d-.* UTC: post .* got another title", said)


def test_why_explains_what_is_not_kept(site: Flask) -> None:
    """There is no copy, whatever was asked for."""
    ask(site, "/edge/no-store")
    found = explain.why(site, "/edge/no-store")
    assert (found.variants, found.policy) == ((), "NO_STORE")


def test_why_tells_what_keeps_a_page_from_being_shared(any_app: Flask) -> None:
    """Here a view that writes."""

    @any_app.get("/it/writes")
    @cached(policies.PAGE)
    def writes() -> str:
        db.session.execute(sa.update(Post).values(version=Post.version))
        db.session.scalars(sa.select(Post)).all()
        return "written"

    assert "writes to the database" in explain.why(any_app, "/it/writes").unshareable_reason


def test_trouble_with_the_triggers_is_a_reason(site: Flask) -> None:
    """Nothing is shared until they are made anew."""
    break_triggers()
    site.extensions["edge"].tracker.watchman.look()
    assert "flask edge triggers install" in explain.why(site, "/").unshareable_reason


def break_triggers() -> None:
    """Drop a trigger by hand."""
    on = " ON post" if db.engine.dialect.name == "postgresql" else ""
    with db.engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER edge_post_update{on}")


def test_why_understands_a_whole_url(site: Flask) -> None:
    """As it is copied from a browser."""
    assert explain.why(site, f"{site.config['SITE_URL']}/about").url == "/about"


def test_why_and_who_as_json(site: Flask) -> None:
    """Programs get the same."""
    why = json.loads(run(site, "why", "/about", "--json"))
    assert (why["policy"], why["fresh"], len(why["kept"])) == ("PAGE", True, 1)
    who = json.loads(run(site, "who", "about", "--json"))
    assert "/about" in who["urls"]


def test_who_lists_the_pages_that_show_a_post(site: Flask) -> None:
    """By its slug or by its path; pages that show something else are not among them."""
    found = explain.who(site, "lanterns")
    assert {*SHOWING} <= {*found.urls}
    assert "/about" not in found.urls
    assert explain.who(site, "/articles/lanterns") == found
    assert run(site, "who", "lanterns").startswith("A change of post 'Lanterns' affects ")


def test_who_of_one_column(site: Flask) -> None:
    """Lists don't show bodies."""
    body = {*SHOWING} & {*explain.who(site, "lanterns", columns=["body_html"]).urls}
    assert body == {"/articles/lanterns"}
    assert {*SHOWING} <= {*explain.who(site, "lanterns", columns=["title"]).urls}


def test_who_of_another_table(site: Flask) -> None:
    """A topic and an author have names too."""
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
        (["purge"], "Say one of --url, --post and --all."),
        (["purge", "--all", "--url", "/"], "Say one of --url, --post and --all."),
    ],
)
def test_what_nobody_knows_is_said_in_a_sentence(
    site: Flask, words: list[str], sentence: str
) -> None:
    """And the status is not 0."""
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
    """How many statements a command executes."""
    app.extensions["edge"].tracker.watchman.look()  # it looks by itself every other second
    said: list[str] = []

    def note(*arguments: object) -> None:
        said.append(str(arguments[2]))

    sa.event.listen(db.engine, "before_cursor_execute", note)
    try:
        run(app, *words)
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", note)
    return len(said)


def test_a_purge_of_a_url_purges_it_alone(gated: FlaskClient) -> None:
    """Before the command ends."""
    assert explain.purge(gated.application, url="/about").urls == ("/about",)
    assert_miss(gated.get("/about"))
    assert_hit(gated.get("/"))


def test_a_purge_of_a_post_purges_whatever_shows_it(gated: FlaskClient) -> None:
    """And nothing else."""
    run(gated.application, "purge", "--post", "/articles/lanterns")
    for path in ("/articles/lanterns", "/articles/tides", "/topics/harbour"):
        assert_miss(gated.get(path))
    assert_hit(gated.get("/about"))


def test_a_purge_of_everything(gated: FlaskClient) -> None:
    """Every page is made anew."""
    assert "everything" in run(gated.application, "purge", "--all")
    for path in WARM:
        assert_miss(gated.get(path))


def test_a_url_that_was_never_registered_is_purged_all_the_same(gated: FlaskClient) -> None:
    """Somebody has seen it somewhere."""
    assert explain.purge(gated.application, url="/who/knows?x=1").urls == ("/who/knows?x=1",)


def test_status_tells_how_many_purged_pages_had_changed(site: Flask) -> None:
    """A page that is purged and made anew as it was before was purged in vain."""
    assert "No purged page has been rendered again yet." in list(relay.status(site).to_lines())
    retitle("Lanterns", "Lamps")
    warm(site)
    found = relay.status(site).precision
    assert (found.rendered_again, found.unchanged) == (len(SHOWING), 0)
    retitle("Lamps", "Lights")
    retitle("Lights", "Lamps")
    warm(site)
    report = relay.status(site)
    assert report.to_json()["precision"] == {
        "renewed": 2 * len(SHOWING),
        "unchanged": len(SHOWING),
        "ratio": 0.5,
    }
    said = "Of 8 purged pages that were rendered again, 4 had changed: a precision of 0.50."
    assert said in list(report.to_lines())


def test_why_tells_how_often_a_page_was_purged_in_vain(site: Flask) -> None:
    """So that what is too coarse is found page by page."""
    retitle("Lanterns", "Lamps")
    warm(site)
    (kept,) = explain.why(site, "/topics/harbour").variants
    assert kept.to_text().endswith("; rendered again after 1 purge, never with identical content")


def retitle(title: str, other: str) -> None:
    """Give a post another title."""
    with transaction() as session:
        session.scalars(sa.select(Post).where(Post.title == title)).one().title = other
    db.session.remove()
