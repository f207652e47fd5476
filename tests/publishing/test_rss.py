"""RSS 2.0: the elements that its specification requires, and text that stays well-formed."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from email.utils import parsedate_to_datetime
from xml.etree import ElementTree as ET

from app.publishing.models import Author
from app.publishing.rss import rss

from .test_feeds import AT, LATER, article, feed

NAMES = {
    "atom": "http://www.w3.org/2005/Atom",
    "content": "http://purl.org/rss/1.0/modules/content/",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def parse_channel(document: bytes) -> ET.Element:
    """Return the one channel of a feed."""
    root = ET.fromstring(document)
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    (channel,) = root
    return channel


def test_a_channel_has_the_elements_that_rss_requires() -> None:
    """Title, link and description, with the feed's own URL as an Atom link."""
    channel = parse_channel(rss(replace(feed(article()), path="/feed.rss")))
    assert channel.findtext("title") == "The Gazette"
    assert channel.findtext("link") == "https://example.com/"
    assert channel.findtext("description") == "All of it"
    assert channel.findtext("language") == "en"
    assert parsedate_to_datetime(channel.findtext("lastBuildDate") or "") == LATER
    link = channel.find("atom:link", NAMES)
    assert link is not None
    assert link.attrib == {
        "rel": "self",
        "type": "application/rss+xml",
        "href": "https://example.com/feed.rss",
    }


def test_an_item_has_its_text_names_and_date() -> None:
    """An author is a name in dc:creator, because RSS's own <author> is a mail address."""
    (item,) = parse_channel(rss(feed(article()))).findall("item")
    assert item.findtext("title") == "A title"
    assert item.findtext("link") == "https://example.com/articles/a-title"
    assert item.findtext("pubDate") == "Fri, 02 Jan 2026 03:04:05 GMT"
    assert parsedate_to_datetime(item.findtext("pubDate") or "") == AT
    assert item.findtext("dc:creator", namespaces=NAMES) == "Ada"
    assert item.find("author") is None
    assert item.findtext("category") == "Ink"
    assert item.findtext("description") == "In short."
    text = item.findtext("content:encoded", namespaces=NAMES) or ""
    assert 'href="https://example.com/archive"' in text


def test_the_guid_is_the_identifier_of_the_other_feeds() -> None:
    """It is no link, and a rename does not change it."""
    for one in (feed(article()), feed(article(slug="another", id=8))):
        guid = parse_channel(rss(one)).find("item/guid")
        assert guid is not None
        assert guid.text == "urn:uuid:1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
        assert guid.get("isPermaLink") == "false"


def test_a_date_is_written_in_gmt() -> None:
    """Another offset names the same instant."""
    east = timezone(timedelta(hours=5))
    moved = article(published_at=datetime(2026, 1, 2, 8, 4, 5, tzinfo=east))
    assert parse_channel(rss(feed(moved))).findtext("item/pubDate") == (
        "Fri, 02 Jan 2026 03:04:05 GMT"
    )


def test_rss_without_values_is_valid() -> None:
    """A channel has a description in any case; an element without a value is left out."""
    channel = parse_channel(rss(replace(feed(), subtitle="")))
    assert channel.findtext("description") == "The Gazette"
    assert channel.find("lastBuildDate") is None
    bare = article(summary="", authors=[], topics=[])
    (item,) = parse_channel(rss(feed(bare))).findall("item")
    assert item.find("description") is None
    assert item.find("dc:creator", NAMES) is None


def test_rss_has_no_control_characters() -> None:
    """XML 1.0 does not allow them, not even as references."""
    odd = article(title="a\0b\x0bc\ufffe", authors=[Author(slug="x", name="A\x1bda")])
    (item,) = parse_channel(rss(feed(odd))).findall("item")
    assert item.findtext("title") == "abc"
    assert item.findtext("dc:creator", namespaces=NAMES) == "Ada"
