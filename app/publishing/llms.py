"""The file llms.txt (llmstxt.org): what the site is about, with links to its texts in Markdown.

Pure: no database and no clock. The names of the sections are part of the format and therefore in
English: programs leave out the section `Optional` when they need a short text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from .models import Post, Topic

SIZE = 100
"""How many articles it lists."""

_SPECIAL = re.compile(r"([\\\[\]<>`*_])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """What the file lists; the articles are the newest ones."""

    site_url: str
    title: str
    summary: str
    pages: Sequence[Post]
    articles: Sequence[Post]
    topics: Sequence[Topic]


_OPTIONAL = (
    ("All articles by year", "/archive"),
    ("Atom feed", "/feed.xml"),
    ("Sitemap", "/sitemap.xml"),
    ("API", "/api"),
)


def llms_txt(overview: Overview) -> str:
    """Return the file."""
    return "\n".join(_lines(overview)) + "\n"


def _lines(overview: Overview) -> Iterator[str]:
    site_url = overview.site_url
    yield f"# {_plain(overview.title)}"
    if overview.summary:
        yield from ("", f"> {_plain(overview.summary)}")
    yield from _section("Pages", (_post(site_url, page) for page in overview.pages))
    yield from _section("Articles", (_post(site_url, article) for article in overview.articles))
    topics = (_link(topic.name, f"{site_url}{topic.path}") for topic in overview.topics)
    yield from _section("Topics", topics)
    yield from _section("Optional", (_link(name, f"{site_url}{path}") for name, path in _OPTIONAL))


def _section(name: str, links: Iterable[str]) -> Iterator[str]:
    lines = [*links]
    if lines:
        yield from ("", f"## {name}", "", *lines)


def _post(site_url: str, post: Post) -> str:
    link = _link(post.title, f"{site_url}{post.path}.md")
    return f"{link}: {_plain(post.summary)}" if post.summary else link


def _link(name: str, url: str) -> str:
    return f"- [{_plain(name)}]({url})"


def _plain(text: str) -> str:
    """Return a text on one line, with the characters escaped that mean something in Markdown."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.split()))
