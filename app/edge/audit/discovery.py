"""Choose one page of each kind from the links of the home page, the feed and the sitemap.

Pure functions. The size of the site does not matter: at most one page of each kind is chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

from .site_address import SiteAddress

_MAX_LINKS = 1_000
"""Maximum number of links of one document that are examined."""

_MAX_CHARACTERS = 256 * 1024
"""Maximum number of characters of the home page that are parsed."""

_FEEDS = ("application/atom+xml", "application/rss+xml", "application/feed+json")
_STATIC = re.compile(r"\.(?:css|m?js|woff2?)(?:\?|$)")
_MEDIA = re.compile(r"\.(?:jpe?g|png|webp|avif|gif|mp4|svg)(?:\?|$)", re.IGNORECASE)
_TOPIC = re.compile(r"/(?:topics?|tags?|categor(?:y|ies)|sections?)/[^/?]+/?$")
_ARTICLE = re.compile(r"/(?:articles?|posts?|blog|stories|news|p|\d{4})/(?:[^?]*/)?[^/?]+/?$")
_PRIVATE = re.compile(
    r"^/(?:studio|admin|account|profile|login|log-in|signin|sign-in|cart|basket|dashboard"
    r"|settings|wp-admin|wp-login\.php)(?:[/?]|$)"
)
_LOC = re.compile(r"<loc>\s*([^<\s]{1,2000})\s*</loc>")
_ENTRY = re.compile(
    r"<(?:entry|item)\b[^>]*>(?P<entry>.{0,20000}?)</(?:entry|item)>", re.DOTALL | re.IGNORECASE
)
_LINK = re.compile(r"<link\b[^>]*?(?:href=[\"']([^\"']{1,2000})[\"'][^>]*/?>|>\s*([^<\s]{1,2000}))")


@dataclass(slots=True)
class _Links(HTMLParser):
    """Links of a page; `search` is the action of a form and the name of its field."""

    pages: list[str] = field(default_factory=list)
    static: list[str] = field(default_factory=list)
    media: list[str] = field(default_factory=list)
    feeds: list[str] = field(default_factory=list)
    search: tuple[str, str] | None = None
    form: str | None = None

    def __post_init__(self) -> None:
        HTMLParser.__init__(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the URL of an element."""
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a" and "href" in attributes:
            self.pages.append(attributes["href"])
        elif tag == "link":
            self._add_link_element(attributes)
        elif tag in {"script", "img", "source"} and attributes.get("src"):
            (self.static if tag == "script" else self.media).append(attributes["src"])
        elif tag in {"form", "input"}:
            self._read_form(tag, attributes)

    def handle_endtag(self, tag: str) -> None:
        """End the form: a field after it does not belong to it."""
        if tag == "form":
            self.form = None

    def _add_link_element(self, attributes: dict[str, str]) -> None:
        rels = attributes.get("rel", "").lower().split()
        if "stylesheet" in rels and attributes.get("href"):
            self.static.append(attributes["href"])
        elif "alternate" in rels and attributes.get("type", "").lower() in _FEEDS:
            self.feeds.append(attributes.get("href", ""))

    def _read_form(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "form":
            reads = attributes.get("method", "get").lower() == "get"
            self.form = attributes.get("action", "") if reads else None
        elif self.form is not None and self.search is None:
            kind, name = attributes.get("type", "text").lower(), attributes.get("name", "")
            if kind == "search" or (kind == "text" and name in {"q", "s", "query", "search"}):
                self.search = (self.form, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedPage:
    """A page to audit and its kind."""

    kind: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteLinks:
    """One request target for each kind of page that the home page links to; None if missing."""

    article: str | None = None
    topic: str | None = None
    static: str | None = None
    media: str | None = None
    feed: str | None = None
    private: str | None = None
    search: tuple[str, str] | None = None


def parse_home(html: str, address: SiteAddress) -> SiteLinks:
    """Find one page of each kind on a home page."""
    links = _Links()
    with suppress(AssertionError):  # some versions of the parser raise it for "<![if"
        links.feed(html[:_MAX_CHARACTERS])
    pages = list(_targets(links.pages, address))
    search = None
    if links.search is not None:
        path = _target(links.search[0] or "/", address)
        search = (path.partition("?")[0], links.search[1]) if path else None
    return SiteLinks(
        article=_first(pages, _ARTICLE),
        topic=_first(pages, _TOPIC),
        static=_first(_targets(links.static, address), _STATIC),
        media=_first(_targets(links.media, address), _MEDIA),
        feed=next(_targets(links.feeds, address), None),
        private=_first(pages, _PRIVATE),
        search=search,
    )


def parse_sitemap(xml: str, address: SiteAddress) -> SiteLinks:
    """Find an article and a topic among the first entries of a sitemap."""
    locations = (match[1] for match, _ in zip(_LOC.finditer(xml), range(_MAX_LINKS), strict=False))
    pages = list(_targets(map(unescape, locations), address))
    return SiteLinks(article=_first(pages, _ARTICLE), topic=_first(pages, _TOPIC))


def parse_feed(xml: str, address: SiteAddress) -> str | None:
    """Find the first entry's page in an Atom or RSS feed."""
    entry = _ENTRY.search(xml)
    link = _LINK.search(entry["entry"]) if entry else None
    return _target(unescape(link[1] or link[2]), address) if link else None


def choose_pages(home: SiteLinks, sitemap: SiteLinks, entry: str | None) -> tuple[AuditedPage, ...]:
    """Choose one page of each kind; links of the home page come before those of the sitemap."""
    pages = (
        ("article", entry or home.article or sitemap.article),
        ("topic", home.topic or sitemap.topic),
        ("static", home.static),
        ("media", home.media),
    )
    return tuple(AuditedPage(kind=kind, target=target) for kind, target in pages if target)


def search_target(search: tuple[str, str], words: str) -> str:
    """Return the request target of a search for these words."""
    path, name = search
    return f"{path}?{urlencode({name: words})}"


def _first(targets: Iterable[str], pattern: re.Pattern[str]) -> str | None:
    return next((target for target in targets if pattern.search(target)), None)


def _targets(urls: Iterable[str], address: SiteAddress) -> Iterator[str]:
    for url, _ in zip(urls, range(_MAX_LINKS), strict=False):
        target = _target(url, address)
        if target is not None:
            yield target


def _target(url: str, address: SiteAddress) -> str | None:
    try:
        return address.request_target(urljoin(address.url + "/", url.partition("#")[0]))
    except ValueError:
        return None
