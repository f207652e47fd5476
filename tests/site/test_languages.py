"""A post in another language than its site says so: on its page, in lists, in feeds, in the API."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.publishing.actions import SiteDraft, save_site
from app.publishing.models import Kind, Post
from app.publishing.permissions import SYSTEM
from app.publishing.transaction import transaction

from . import content

LANG = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of a site in English with a post in Persian and one in Canadian French."""
    content.settings()
    posts = {
        "fa": content.post("Persian", at=content.day(3), topics=["Harbour"], authors=["Ada"]),
        "fr-CA": content.post("French", at=content.day(2), topics=["Harbour"], authors=["Ada"]),
        "en": content.post("English", at=content.day(1), topics=["Harbour"], authors=["Ada"]),
        "he": content.post("Hebrew", kind=Kind.PAGE, menu_position=0),
    }
    content.post("Unmarked", at=content.day(0), topics=["Harbour"], authors=["Ada"])
    with transaction():
        for language, post in posts.items():
            db.session.get_one(Post, post.id).language = language
    return app.test_client()


def element_around(html: str, words: str) -> str:
    """Return the attributes of the nearest element with `lang` before the words, else ''."""
    start = html.index(f">{words}<")
    tags = re.findall(r"<(h\d|article|li|span|a)\b([^<>]*)>", html[: start + 1])
    return " ".join(attributes for _, attributes in tags[-2:])


PATHS = ["/", "/topics/harbour", "/topics/harbour/pages/1", "/authors/ada"]
PATHS += ["/archive/pages/1", "/archive/2024", "/authors/ada/pages/1"]


@pytest.mark.parametrize("path", PATHS)
def test_a_title_in_a_list_has_the_language_of_its_post(client: FlaskClient, path: str) -> None:
    """Only where it differs from the site's; Persian is written from right to left."""
    html = client.get(path).text
    assert 'lang="fa" dir="rtl"' in element_around(html, "Persian")
    french = element_around(html, "French")
    assert 'lang="fr-CA"' in french
    assert "dir=" not in french
    assert "lang=" not in element_around(html, "English")
    assert "lang=" not in element_around(html, "Unmarked")


def test_an_article_has_its_language(client: FlaskClient) -> None:
    """Its element has `lang` and `dir`, its JSON-LD has `inLanguage`; the page's frame has not."""
    html = client.get("/articles/persian").text
    assert '<html lang="en" dir="ltr">' in html
    assert '<article class="story" lang="fa" dir="rtl">' in html
    linked = re.search(r'<script type="application/ld\+json">(.*?)</script>', html, re.DOTALL)
    assert linked is not None
    assert json.loads(linked[1])["inLanguage"] == "fa"
    assert 'lang="fr-CA"' in element_around(html, "French")


@pytest.mark.parametrize("slug", ["english", "unmarked"])
def test_an_article_in_the_language_of_the_site_does_not_repeat_it(
    client: FlaskClient, slug: str
) -> None:
    """The `lang` of the page covers it."""
    html = client.get(f"/articles/{slug}").text
    assert '<article class="story">' in html
    assert "inLanguage" not in html


def test_a_page_and_its_links_have_its_language(client: FlaskClient) -> None:
    """The link in the menu of every page, too."""
    html = client.get("/hebrew").text
    assert '<article class="story" lang="he" dir="rtl">' in html
    assert '<a href="/hebrew" lang="he" dir="rtl">Hebrew</a>' in client.get("/archive").text


def test_a_left_to_right_post_of_a_right_to_left_site_states_its_direction(
    client: FlaskClient,
) -> None:
    """And a post without a language is in the new language of the site."""
    save_site(SiteDraft(title="The Gazette", language="fa"), expected_version=1, actor=SYSTEM)
    assert 'lang="en" dir="ltr"' in client.get("/articles/english").text
    assert '<article class="story">' in client.get("/articles/unmarked").text
    assert '<article class="story">' in client.get("/articles/persian").text


@pytest.mark.parametrize("path", [*PATHS, "/search?q=x", "/articles/english", "/nothing-here"])
def test_a_page_has_the_direction_of_the_site(client: FlaskClient, path: str) -> None:
    """`dir` stands on the html element of every kind of page."""
    save_site(SiteDraft(title="The Gazette", language="ar-EG"), expected_version=1, actor=SYSTEM)
    assert '<html lang="ar-EG" dir="rtl">' in client.get(path).text


ARABIC = "مدينة الميناء"
MIXED = "CSS للمبتدئين: كيف تعمل"


@pytest.fixture
def arabic_words(client: FlaskClient) -> FlaskClient:
    """The same site with a post that has Arabic words, but no language."""
    topics, authors = [ARABIC, "Harbour"], [ARABIC, "Ada"]
    content.post(MIXED, at=content.day(9), summary=MIXED, topics=topics, authors=authors)
    content.post(f"{ARABIC} 2", at=content.day(8), topics=["Harbour"], authors=["Ada"])
    return client


@pytest.mark.parametrize("path", PATHS)
def test_a_title_without_a_language_gets_its_direction_from_its_letters(
    arabic_words: FlaskClient, path: str
) -> None:
    """`auto` in most cases; explicit where the first letter is of the other direction."""
    html = arabic_words.get(path).text
    assert 'dir="auto"' in element_around(html, f"{ARABIC} 2")
    assert 'dir="rtl"' in element_around(html, MIXED)
    assert 'dir="auto"' in element_around(html, "Unmarked")


@pytest.mark.parametrize(
    "path", ["/", "/articles/css-llmbtdyyn-kyf-t-ml", "/topics", "/authors", "/topics/mdyn-lmyn"]
)
def test_the_name_of_a_topic_or_an_author_is_isolated(arabic_words: FlaskClient, path: str) -> None:
    """A name of another direction must not reorder the words and punctuation around it."""
    html = arabic_words.get(path).text
    elements = re.findall(rf"<([^<>]*)>{ARABIC}</", html)
    assert elements
    assert [element for element in elements if 'dir="auto"' not in element] == []


def test_words_of_a_reader_are_isolated(client: FlaskClient) -> None:
    """The search field takes the direction of what is typed; the heading that of the words."""
    html = client.get("/search", query_string={"q": ARABIC}).text
    assert f'“<bdi dir="auto">{ARABIC}</bdi>”' in html
    assert re.search(r"<input [^>]*dir=\"auto\"", html)


def test_an_atom_entry_has_its_language(client: FlaskClient) -> None:
    """RFC 4287, 2: `xml:lang` applies to the element and what is in it."""
    root = ET.fromstring(client.get("/feed.xml").data)
    atom = {"a": "http://www.w3.org/2005/Atom"}
    entries = root.findall("a:entry", atom)
    languages = {entry.findtext("a:title", "", atom): entry.get(LANG) for entry in entries}
    assert languages == {"Persian": "fa", "French": "fr-CA", "English": None, "Unmarked": None}


def test_an_item_of_a_json_feed_has_its_language(client: FlaskClient) -> None:
    """JSON Feed 1.1: an item may have a `language` of its own."""
    feed = client.get("/feed.json").get_json()
    languages = {item["title"]: item.get("language") for item in feed["items"]}
    assert languages == {"Persian": "fa", "French": "fr-CA", "English": None, "Unmarked": None}


def test_the_api_gives_the_language_of_a_post(client: FlaskClient) -> None:
    """As it is stored: null is the site's."""
    posts = client.get("/api/posts").get_json()["posts"]
    languages = {post["title"]: post["language"] for post in posts}
    assert languages == {"Persian": "fa", "French": "fr-CA", "English": "en", "Unmarked": None}
    assert client.get("/api/posts/persian").get_json()["language"] == "fa"
