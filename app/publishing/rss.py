"""Feeds as RSS 2.0, with the whole text of each post.

Pure: no database and no clock; the same posts always give the same bytes.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from xml.etree import ElementTree as ET

from .feeds import Feed, absolute_html, entry_id, without_control_characters
from .models import Post
from .text.formulas import with_sources

_NAMESPACES = {
    "xmlns:atom": "http://www.w3.org/2005/Atom",
    "xmlns:content": "http://purl.org/rss/1.0/modules/content/",
    "xmlns:dc": "http://purl.org/dc/elements/1.1/",
}


def rss(feed: Feed) -> bytes:
    """The feed as RSS 2.0."""
    # ElementTree would drop the prefix of Atom, which app/publishing/feeds.py registers as empty.
    root = ET.Element("rss", {"version": "2.0", **_NAMESPACES})
    channel = ET.SubElement(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.url(feed.home))
    _add(channel, "description", feed.subtitle or feed.title)
    _add(channel, "language", feed.language)
    if feed.posts:
        _add(channel, "lastBuildDate", _date(feed.updated_at))
    _add(channel, "generator", "Broadsheet")
    url = feed.url(feed.path)
    _add(channel, "atom:link", rel="self", type="application/rss+xml", href=url)
    for post in feed.posts:
        _item(channel, feed, post)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _item(channel: ET.Element, feed: Feed, post: Post) -> None:
    item = ET.SubElement(channel, "item")
    url = feed.url(post.path)
    _add(item, "title", post.title)
    _add(item, "link", url)
    _add(item, "guid", entry_id(feed.site_url, post), isPermaLink="false")
    _add(item, "pubDate", _date(post.published_at or post.created_at))
    for author in post.authors:
        # The element <author> of RSS is a mail address.
        _add(item, "dc:creator", author.name)
    for topic in post.topics:
        _add(item, "category", topic.name)
    if post.summary:
        _add(item, "description", post.summary)
    _add(item, "content:encoded", absolute_html(with_sources(post.body_html), url))


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> None:
    clean = {name: without_control_characters(value) for name, value in attributes.items()}
    element = ET.SubElement(parent, tag, clean)
    element.text = without_control_characters(text) or None


def _date(at: datetime) -> str:
    """Format an instant as in RFC 822, with a year of four digits."""
    return format_datetime(at.astimezone(UTC), usegmt=True)
