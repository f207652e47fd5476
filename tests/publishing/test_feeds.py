from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from xml.etree import ElementTree as ET

import pytest

from app.publishing.feeds import Feed, absolute_html, atom, json_feed
from app.publishing.models import Author, Kind, Post, Topic

ATOM = {"a": "http://www.w3.org/2005/Atom"}
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
LATER = datetime(2026, 2, 3, tzinfo=UTC)


def article(**columns: object) -> Post:
    """An article that never saw a database."""
    own = {
        "id": 7,
        "kind": Kind.ARTICLE,
        "slug": "a-title",
        "title": "A title",
        "summary": "In short.",
        "published_at": AT,
        "created_at": AT,
        "updated_at": LATER,
        "feed_id": "urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",
        "body_html": '<p><a href="/archive">on</a> <a href="#fn1">1</a></p>',
        "authors": [Author(slug="ada", name="Ada")],
        "topics": [Topic(slug="ink", name="Ink")],
    }
    return Post(**(own | columns))


def feed(*posts: Post) -> Feed:
    """A feed of these posts."""
    return Feed(
        site_url="https://example.com",
        title="The Gazette",
        subtitle="All of it",
        language="en",
        home="/",
        path="/feed.xml",
        posts=posts,
    )


def test_an_atom_feed_has_what_rfc_4287_wants() -> None:
    """Id, title, updated, self link; and of each entry id, title, updated, author, content."""
    root = ET.fromstring(atom(feed(article())))
    assert root.tag == "{http://www.w3.org/2005/Atom}feed"
    assert root.findtext("a:id", namespaces=ATOM) == "https://example.com/feed.xml"
    assert root.findtext("a:updated", namespaces=ATOM) == "2026-02-03T00:00:00+00:00"
    links = {link.get("rel"): link.get("href") for link in root.findall("a:link", ATOM)}
    assert links == {"self": "https://example.com/feed.xml", "alternate": "https://example.com/"}
    (entry,) = root.findall("a:entry", ATOM)
    assert entry.findtext("a:title", namespaces=ATOM) == "A title"
    assert entry.findtext("a:published", namespaces=ATOM) == "2026-01-02T03:04:05+00:00"
    assert entry.findtext("a:author/a:name", namespaces=ATOM) == "Ada"
    assert entry.find("a:category", ATOM).attrib == {"term": "ink", "label": "Ink"}  # type: ignore[union-attr]
    content = entry.find("a:content", ATOM)
    assert content is not None
    assert content.get("type") == "html"
    assert content.text is not None
    assert 'href="https://example.com/archive"' in content.text


def test_an_id_survives_a_rename() -> None:
    """A reader does not see an article twice because its address or the site's host changed."""
    renamed = feed(article(slug="another", title="Another", id=8))
    for one in (feed(article()), renamed, replace(renamed, site_url="https://new.example")):
        root = ET.fromstring(atom(one))
        (item,) = json.loads(json_feed(one))["items"]
        ids = (root.findtext("a:entry/a:id", namespaces=ATOM), item["id"])
        assert ids == ("urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed",) * 2


def test_an_entry_without_authors_is_by_the_site() -> None:
    """Every Atom entry has an author (RFC 4287 section 4.1.2)."""
    root = ET.fromstring(atom(feed(article(authors=[]))))
    assert root.findtext("a:entry/a:author/a:name", namespaces=ATOM) == "The Gazette"


def test_control_characters_never_reach_the_xml() -> None:
    """A feed parses whatever a writer's keyboard did."""
    odd = article(title="a\0b\x0bc\ufffe", body_html="<p>\x1b\ud800x</p>", summary="\x08")
    root = ET.fromstring(atom(feed(odd)))
    assert root.findtext("a:entry/a:title", namespaces=ATOM) == "abc"


def test_an_empty_feed_is_valid_and_has_no_clock() -> None:
    """The same emptiness is the same bytes at any time."""
    root = ET.fromstring(atom(feed()))
    assert root.findtext("a:updated", namespaces=ATOM) == "1970-01-01T00:00:00+00:00"
    assert json.loads(json_feed(feed()))["items"] == []


def test_a_json_feed_has_what_version_1_1_wants() -> None:
    """Version, title, items; and of each item id, url and content."""
    document = json.loads(json_feed(replace(feed(article()), path="/feed.json")))
    assert document["version"] == "https://jsonfeed.org/version/1.1"
    assert document["feed_url"] == "https://example.com/feed.json"
    (item,) = document["items"]
    assert item["id"] == "urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
    assert item["url"] == "https://example.com/articles/a-title"
    assert item["date_modified"] == "2026-02-03T00:00:00+00:00"
    assert item["authors"] == [{"name": "Ada", "url": "https://example.com/authors/ada"}]
    assert item["tags"] == ["Ink"]


LINKS = [
    ('<a href="/x">', '<a href="https://e.com/x">'),
    ('<a href="#n">', '<a href="https://e.com/articles/a#n">'),
    ('<a href="https://o.com/x">', '<a href="https://o.com/x">'),
    ('<a href="//o.com/x">', '<a href="https://o.com/x">'),
    ('<a href="mailto:a@e.com">', '<a href="mailto:a@e.com">'),
    ('<a href="../up">', '<a href="https://e.com/up">'),
    ('<a href="x?y=1&amp;z=2">', '<a href="https://e.com/articles/x?y=1&amp;z=2">'),
    ('<a href="?x=1">', '<a href="https://e.com/articles/a?x=1">'),
    ('<a href="">', '<a href="https://e.com/articles/a">'),
    ('<a href="http://[x">', '<a href="http://[x">'),
    ('<a href="//[x">', '<a href="//[x">'),
    ('<a title=" href=" href="/x">', '<a title=" href=" href="https://e.com/x">'),
    ('<a title=">" href="/x">', '<a title=">" href="https://e.com/x">'),
    ('<blockquote cite="/x">', '<blockquote cite="https://e.com/x">'),
    (
        '<video poster="/m/p.jpg" src="/m/v.mp4">',
        '<video poster="https://e.com/m/p.jpg" src="https://e.com/m/v.mp4">',
    ),
    ('<code>&lt;a href="/about"&gt;</code>', '<code>&lt;a href="/about"&gt;</code>'),
    ('<p>set src="/x" and cite="/y"</p>', '<p>set src="/x" and cite="/y"</p>'),
    ('<img src="/m/a.jpg">', '<img src="https://e.com/m/a.jpg">'),
    (
        '<img srcset="/m/a.jpg 480w, /m/b.jpg 960w">',
        '<img srcset="https://e.com/m/a.jpg 480w, https://e.com/m/b.jpg 960w">',
    ),
    ("<p>href=&quot;/x&quot;</p>", "<p>href=&quot;/x&quot;</p>"),
]


@pytest.mark.parametrize(("html", "expected"), LINKS, ids=[html for html, _ in LINKS])
def test_links_of_a_feed_are_absolute(html: str, expected: str) -> None:
    """A feed is read elsewhere, where a path leads nowhere."""
    assert absolute_html(html, "https://e.com/articles/a") == expected
