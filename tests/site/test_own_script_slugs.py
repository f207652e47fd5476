"""Slugs in the script of the title, through every place that shows or receives a URL."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import timedelta
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.edge.flask.deploy import release
from app.edge.testing import assert_hit, assert_miss
from app.extensions import db
from app.publishing import actions
from app.publishing.actions import AuthorDraft, SiteDraft, TopicDraft
from app.publishing.errors import Invalid
from app.publishing.models import Kind, Post, Site
from app.publishing.permissions import SYSTEM
from app.routing import Slug

from . import content

ARTICLE = "/articles/" + quote("مدينة-الميناء")
TOPIC = "/topics/" + quote("ميناء")
AUTHOR = "/authors/" + quote("山田太郎")
PAGE = "/" + quote("हमारे-बारे-में")
NOW = content.day(0)


@pytest.fixture
def client(make_app: Callable[..., Flask]) -> FlaskClient:
    """A client of a site whose article, page, topic and author have slugs in their own script."""
    app = make_app(EDGE_GATEWAY=True)
    set_style("unicode")
    topic = actions.save_topic(TopicDraft(name="ميناء"), now=NOW, actor=SYSTEM)
    author = actions.save_author(AuthorDraft(name="山田太郎"), now=NOW, actor=SYSTEM)
    for title, kind in (("مدينة الميناء", Kind.ARTICLE), ("हमारे बारे में", Kind.PAGE)):
        draft = actions.Draft(
            title=title,
            body_markdown="# Text",
            kind=kind,
            topic_ids=(topic.id,),
            author_ids=(author.id,),
            menu_position=1 if kind is Kind.PAGE else None,
        )
        post = actions.create(draft, now=NOW, actor=SYSTEM)
        actions.publish(post.id, expected_version=post.version, now=NOW, actor=SYSTEM)
    release(app)
    db.session.remove()
    return app.test_client()


def set_style(style: str) -> None:
    """Save the site's setting of slugs."""
    site = db.session.get(Site, 1)
    draft = SiteDraft(title="The Gazette", slugs=style)
    actions.save_site(draft, expected_version=site.version if site else None, actor=SYSTEM)


@pytest.mark.parametrize("path", [ARTICLE, TOPIC, AUTHOR, PAGE, f"{TOPIC}/feed.xml"])
def test_a_page_is_found_stored_and_named_by_its_encoded_url(
    client: FlaskClient, path: str
) -> None:
    """The canonical link and the gateway have the same URL."""
    response = client.get(path)
    assert response.status_code == 200
    if not path.endswith(".xml"):
        assert f'<link rel="canonical" href="http://127.0.0.1:8000{path}">' in response.text
    db.session.remove()
    assert_hit(client.get(path))


@pytest.mark.parametrize(
    "path",
    ["/", TOPIC, AUTHOR, "/archive/2024", "/feed.xml", "/feed.json", "/sitemap.xml", "/api/posts"],
)
def test_every_list_links_to_the_encoded_url(client: FlaskClient, path: str) -> None:
    """No list has the decoded slug in a URL."""
    text = client.get(path).text
    assert ARTICLE in text
    assert "/articles/مدينة" not in text


def test_the_sitemap_has_every_encoded_url(client: FlaskClient) -> None:
    """Topics, authors and pages as well."""
    text = client.get("/sitemap.xml").text
    assert all(f"<loc>http://127.0.0.1:8000{path}</loc>" in text for path in (TOPIC, AUTHOR, PAGE))


def test_a_change_purges_the_page(client: FlaskClient) -> None:
    """The purge and the gateway spell its URL alike."""
    client.get(ARTICLE)
    post = db.session.query(Post).filter_by(kind=Kind.ARTICLE).one()
    draft = actions.Draft(title="مدينة أخرى", slug=post.slug, body_markdown="text")
    actions.revise(
        post.id, draft, expected_version=post.version, now=NOW + timedelta(days=1), actor=SYSTEM
    )
    db.session.remove()
    response = client.get(ARTICLE)
    assert_miss(response)
    assert "مدينة أخرى" in response.text


def test_a_renamed_post_redirects_between_scripts(client: FlaskClient) -> None:
    """From Arabic to ASCII, and from there to Japanese."""
    for slug in ("harbour", "港の町"):
        post = db.session.query(Post).filter_by(kind=Kind.ARTICLE).one()
        actions.rename(
            post.id, slug, expected_version=post.version, now=NOW + timedelta(days=1), actor=SYSTEM
        )
    db.session.remove()
    for old in (ARTICLE, "/articles/harbour"):
        response = client.get(old)
        assert response.status_code == 301
        assert response.headers["Location"] == "/articles/" + quote("港の町")
    assert client.get("/articles/" + quote("港の町")).status_code == 200


@pytest.mark.parametrize(
    ("path", "proper"),
    [
        ("/articles/CAFE\u0301", "/articles/caf%C3%A9"),
        ("/articles/café/", "/articles/caf%C3%A9"),
        ("/articles/ｃａｆé", "/articles/caf%C3%A9"),
    ],
)
def test_another_spelling_redirects_to_the_one_url(
    client: FlaskClient, path: str, proper: str
) -> None:
    """Decomposed letters, capitals, wide letters and a slash at the end."""
    response = client.get(quote(path))
    assert (response.status_code, response.headers["Location"]) == (301, proper)


@pytest.mark.parametrize("slug", ["a_b", "日本。", "👍", "a b", "-日", "\ufdfa" * 30])
def test_a_path_that_is_no_slug_is_not_found(client: FlaskClient, slug: str) -> None:
    """The page of the error is the same as for any unknown path."""
    assert client.get(f"/articles/{quote(slug)}").status_code in {301, 404}


def test_the_api_finds_a_post_by_its_slug(client: FlaskClient) -> None:
    """The slug in JSON is decoded, the URL is not."""
    (item,) = json.loads(client.get("/api/posts").text)["posts"]
    assert item["slug"] == "مدينة-الميناء"
    assert item["url"] == f"http://127.0.0.1:8000{ARTICLE}"
    assert client.get("/api/posts/" + quote(item["slug"])).status_code == 200


@pytest.mark.usefixtures("client")
def test_old_slugs_stay_when_the_setting_goes_back() -> None:
    """New slugs are in ASCII; a post with the old slug can still be saved."""
    set_style("ascii")
    post = db.session.query(Post).filter_by(kind=Kind.ARTICLE).one()
    draft = actions.Draft(title="مدينة", slug=post.slug, body_markdown="text")
    actions.revise(
        post.id, draft, expected_version=post.version, now=NOW + timedelta(days=1), actor=SYSTEM
    )
    assert actions.create(actions.Draft(title="مدينة"), now=NOW, actor=SYSTEM).slug.isascii()
    assert actions.save_topic(TopicDraft(name="港"), now=NOW, actor=SYSTEM).slug.isascii()


@pytest.mark.usefixtures("app")
def test_a_slug_in_another_script_is_refused_with_ascii_slugs() -> None:
    """The sentence names the setting that allows it."""
    for save in (
        lambda: actions.create(actions.Draft(title="A", slug="港"), now=NOW, actor=SYSTEM),
        lambda: actions.save_topic(TopicDraft(name="A", slug="港"), now=NOW, actor=SYSTEM),
        lambda: actions.save_author(AuthorDraft(name="A", slug="港"), now=NOW, actor=SYSTEM),
    ):
        with pytest.raises(Invalid, match='slugs = "unicode"'):
            save()


@pytest.mark.usefixtures("app")
def test_an_unknown_style_is_refused() -> None:
    """The sentence lists the styles."""
    with pytest.raises(Invalid, match="ascii, unicode"):
        set_style("emoji")


@pytest.mark.parametrize("slug", ["lanterns", "東京-1", "straße", "a-b"])
def test_edges_match_a_slug_as_bytes_and_percent_encoded(slug: str) -> None:
    """Varnish and CDNs see `%E6…`, nginx sees the bytes."""
    for text in (quote(slug), slug.encode().decode("latin-1")):
        assert re.fullmatch(Slug.edge_regex, text)
    for text in ("A", "a/b", "a.md", "a b", "%e6%9", ""):
        assert not re.fullmatch(Slug.edge_regex, text)
