"""Feeds: posts as Atom (RFC 4287) and as JSON Feed 1.1; `rss.py` writes them as RSS 2.0.

Pure: no database and no clock; the same posts always give the same bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape, unescape
from typing import Any
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree as ET

from .languages import find_own_language
from .models import Post
from .text.formulas import with_sources

SIZE = 20
"""How many posts a feed holds."""

_ATOM = "http://www.w3.org/2005/Atom"
_XML = "http://www.w3.org/XML/1998/namespace"
_NEVER = datetime(1970, 1, 1, tzinfo=UTC)
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TAG = re.compile(r'<[a-zA-Z](?:[^>"]|"[^"]*")*>')
_ATTRIBUTE = re.compile(r'(\s([a-z]+)=")([^"]*)"')
_LINKS = frozenset({"cite", "href", "poster", "src"})
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")

ET.register_namespace("", _ATOM)


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What a feed says of itself; `home` and `path` are paths below `site_url`."""

    site_url: str
    title: str
    subtitle: str
    language: str
    home: str
    path: str
    posts: tuple[Post, ...]

    def url(self, path: str) -> str:
        """Return the absolute URL of a path."""
        return f"{self.site_url}{path}"

    @property
    def updated_at(self) -> datetime:
        """When any of its posts last changed."""
        return max((changed_at(post) for post in self.posts), default=_NEVER)


def atom(feed: Feed) -> bytes:
    """The feed as Atom, with the whole text of each post."""
    root = ET.Element(f"{{{_ATOM}}}feed", {f"{{{_XML}}}lang": feed.language})
    _add(root, "id", feed.url(feed.path))
    _add(root, "title", feed.title)
    if feed.subtitle:
        _add(root, "subtitle", feed.subtitle)
    _add(root, "updated", feed.updated_at.isoformat())
    _add(root, "link", rel="self", type="application/atom+xml", href=feed.url(feed.path))
    _add(root, "link", rel="alternate", type="text/html", href=feed.url(feed.home))
    _add(root, "generator", "Broadsheet")
    for post in feed.posts:
        _entry(root, feed, post)
    text: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()


def _entry(root: ET.Element, feed: Feed, post: Post) -> None:
    entry = _add(root, "entry")
    if language := find_own_language(post.language, feed.language):
        entry.set(f"{{{_XML}}}lang", language)
    url = feed.url(post.path)
    _add(entry, "id", entry_id(feed.site_url, post))
    _add(entry, "title", post.title)
    _add(entry, "link", rel="alternate", type="text/html", href=url)
    _add(entry, "published", (post.published_at or post.created_at).isoformat())
    _add(entry, "updated", changed_at(post).isoformat())
    for author in post.authors:
        person = _add(entry, "author")
        _add(person, "name", author.name)
        _add(person, "uri", feed.url(author.path))
    if not post.authors:
        _add(_add(entry, "author"), "name", feed.title)
    for topic in post.topics:
        _add(entry, "category", term=topic.slug, label=topic.name)
    if post.summary:
        _add(entry, "summary", post.summary)
    _add(entry, "content", absolute_html(with_sources(post.body_html), url), type="html")


def _add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
    clean = {name: without_control_characters(value) for name, value in attributes.items()}
    element = ET.SubElement(parent, f"{{{_ATOM}}}{tag}", clean)
    element.text = without_control_characters(text) or None
    return element


def without_control_characters(text: str) -> str:
    """Return a text without the characters that XML 1.0 does not allow."""
    return _NOT_XML.sub("", text)


def json_feed(feed: Feed) -> bytes:
    """The feed as JSON Feed 1.1, with the whole text of each post."""
    document: dict[str, Any] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.url(feed.home),
        "feed_url": feed.url(feed.path),
        "description": feed.subtitle,
        "language": feed.language,
        "items": [_item(feed, post) for post in feed.posts],
    }
    return json.dumps(_without_empty(document), ensure_ascii=False, indent=1).encode() + b"\n"


def _item(feed: Feed, post: Post) -> dict[str, Any]:
    url = feed.url(post.path)
    cover = post.cover.files[-1].path if post.cover and post.cover.files else ""
    return _without_empty(
        {
            "id": entry_id(feed.site_url, post),
            "url": url,
            "title": post.title,
            "summary": post.summary,
            "content_html": absolute_html(with_sources(post.body_html), url),
            "image": feed.url(cover) if cover else "",
            "language": find_own_language(post.language, feed.language),
            "date_published": (post.published_at or post.created_at).isoformat(),
            "date_modified": changed_at(post).isoformat(),
            "authors": [{"name": a.name, "url": feed.url(a.path)} for a in post.authors],
            "tags": [topic.name for topic in post.topics],
        },
        always={"content_html"},
    )


def _without_empty(values: dict[str, Any], always: Iterable[str] = ("items",)) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value or name in always}


def entry_id(site_url: str, post: Post) -> str:
    """Return the identifier of a post; a tag URI (RFC 4151) for one that an old release created."""
    host = urlsplit(site_url).hostname or "localhost"
    return post.feed_id or f"tag:{host},{post.created_at:%Y-%m-%d}:posts/{post.id}"


def changed_at(post: Post) -> datetime:
    """When readers last saw something new there."""
    return max(post.updated_at, post.published_at or post.updated_at)


def absolute_html(html: str, url: str) -> str:
    """Return the HTML of the page at `url` with absolute links, since a feed is read elsewhere.

    `html` is sanitised: attribute values are quoted, and text has no `<`. Only tags change,
    never the text between them, such as HTML that is shown as code.
    """

    def attribute(match: re.Match[str]) -> str:
        if match[2] in _LINKS:
            return f'{match[1]}{_absolute(match[3], url)}"'
        if match[2] == "srcset":
            return f'{match[1]}{_absolute_candidates(match[3], url)}"'
        return match[0]

    return _TAG.sub(lambda tag: _ATTRIBUTE.sub(attribute, tag[0]), html)


def _absolute_candidates(candidates: str, url: str) -> str:
    each = (part.split(maxsplit=1) for part in candidates.split(",") if part.strip())
    return ", ".join(" ".join([_absolute(first, url), *rest]) for first, *rest in each)


def _absolute(reference: str, url: str) -> str:
    """Resolve an escaped reference (RFC 3986, section 5); one that is no URL stays as it is."""
    if _SCHEME.match(reference):
        return reference
    try:
        return escape(urljoin(url, unescape(reference)), quote=False).replace('"', "&quot;")
    except ValueError:
        return reference
