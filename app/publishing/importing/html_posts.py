"""Posts that are written in HTML: where tools read them, and how their metadata is read.

Pure: paths and text in, values out.
"""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import PurePosixPath

from . import frontmatter
from .configuration import Tool
from .frontmatter import Document

SUFFIXES = frozenset({".htm", ".html"})

_CONTENT_TOOLS = frozenset({Tool.HUGO, Tool.NIKOLA, Tool.PELICAN})
"""Tools that read HTML anywhere in their content folders."""

_POST_FOLDERS = frozenset({"_posts", "_drafts"})
_ELEVENTY_FOLDERS = frozenset({"articles", "blog", "post", "posts"})
_FENCE = re.compile(r"\ufeff?(?:---|\+\+\+)[ \t]*\r?\n")
_META = re.compile(r"<(?:meta\s[^>]*\bname\s*=|title[\s>])", re.IGNORECASE)
_BODY = re.compile(r"<body\b[^>]*>(?P<body>.*?)(?:</body\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_HEAD_END = re.compile(r"</head\s*>", re.IGNORECASE)
_HEAD_SIZE = 64 * 1024


def is_post_folder(path: PurePosixPath, tool: Tool | None) -> bool:
    """Tell whether the tool reads a file in HTML at this place as a post."""
    folders = set(path.parts[:-1])
    if tool in _CONTENT_TOOLS or not _POST_FOLDERS.isdisjoint(folders):
        return True
    return tool is Tool.ELEVENTY and not _ELEVENTY_FOLDERS.isdisjoint(folders)


def has_metadata(start: str, tool: Tool | None) -> bool:
    """Tell whether a file that begins like this has front matter, or `<meta>` as in Pelican.

    Nikola reads its own `.. title:` lines as well, in a comment or without one.
    """
    if _FENCE.match(start) or (tool is Tool.NIKOLA and frontmatter.DOTTED.match(start)):
        return True
    return tool in {Tool.NIKOLA, Tool.PELICAN} and bool(_META.search(start))


def split(text: str) -> Document:
    """Take a file apart into metadata and HTML; raises `FrontMatterError`."""
    if _FENCE.match(text) or frontmatter.DOTTED.match(text):
        return replace(frontmatter.split(text), is_html=True)
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    reader = _HeadReader()
    reader.feed(text[:_HEAD_SIZE])
    body = _BODY.search(text)
    head_end = _HEAD_END.search(text)
    start = body.start("body") if body else head_end.end() if head_end else 0
    content = body["body"] if body else text[start:]
    return Document(
        kind="headers" if reader.values else "none",
        values=reader.values,
        body=content,
        offset=text.count("\n", 0, start),
        source=text[:start],
        is_html=True,
    )


class _HeadReader(HTMLParser):
    """Collects `<title>` and `<meta name= content=>`."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.values: dict[str, str] = {}
        self._is_title = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Read one `<meta>`; `keywords` are tags in Pelican."""
        self._is_title = tag == "title"
        values = dict(attrs)
        name = (values.get("name") or "").strip().lower()
        if tag == "meta" and name:
            name = "tags" if name == "keywords" else name
            self.values.setdefault(name, values.get("content") or values.get("contents") or "")

    def handle_endtag(self, tag: str) -> None:
        """End the title."""
        self._is_title = self._is_title and tag != "title"

    def handle_data(self, data: str) -> None:
        """Read the text of the title."""
        if self._is_title:
            self.values["title"] = self.values.get("title", "") + data
