from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from flask import Flask

from . import content

BELOW = ["", "/topics/harbour", "/authors/ada"]
ATOM = {"a": "http://www.w3.org/2005/Atom"}


@pytest.mark.parametrize("below", BELOW)
def test_a_feed_holds_the_newest_articles_in_full(site_app: Flask, below: str) -> None:
    """As Atom, as RSS and as JSON, with the same articles."""
    client = site_app.test_client()
    atom = client.get(f"{below}/feed.xml")
    rss = client.get(f"{below}/feed.rss")
    json = client.get(f"{below}/feed.json")
    assert atom.content_type == "application/atom+xml; charset=utf-8"
    assert rss.content_type == "application/rss+xml; charset=utf-8"
    assert rss.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert json.content_type == "application/feed+json"
    root = ET.fromstring(atom.data)
    titles = [entry.text for entry in root.findall("a:entry/a:title", ATOM)]
    assert json.json is not None
    assert titles == [item["title"] for item in json.json["items"]]
    assert titles == [title.text for title in ET.fromstring(rss.data).iterfind(".//item/title")]
    assert titles[0] == "Lanterns"
    assert "A text with a note" in json.json["items"][0]["content_html"]
    own = root.find("a:link[@rel='self']", ATOM)
    assert own is not None
    assert own.get("href") == f"http://127.0.0.1:8000{below}/feed.xml"


def test_a_feed_of_a_topic_holds_only_its_articles(site_app: Flask) -> None:
    """And says whose it is."""
    answer = site_app.test_client().get("/topics/harbour/feed.json")
    assert answer.json is not None
    assert answer.json["title"] == "Harbour – The Gazette"
    assert "Plain" not in [item["title"] for item in answer.json["items"]]


@pytest.mark.parametrize("name", ["feed.xml", "feed.rss", "feed.json"])
@pytest.mark.parametrize("below", ["/topics/none", "/authors/none"])
def test_a_feed_of_nothing_known_is_not_found(app: Flask, below: str, name: str) -> None:
    """An unknown topic or author has no feed."""
    assert app.test_client().get(f"{below}/{name}").status_code == 404


def test_a_feed_has_no_clock(site_app: Flask) -> None:
    """The same content gives the same bytes and the same ETag."""
    client = site_app.test_client()
    first, second = client.get("/feed.xml"), client.get("/feed.xml")
    assert (first.data, first.headers["ETag"]) == (second.data, second.headers["ETag"])
    content.post("Later", at=content.day(200))
    assert client.get("/feed.xml").headers["ETag"] != first.headers["ETag"]
