"""Pieces that no converter knows, and what they become: named in a remark with their line."""

from __future__ import annotations

import re
from collections.abc import Iterator

from . import markdown
from .source import Edit, Source

_WIKI = re.compile(
    r"(?P<embed>!?)\[\[(?P<page>[^\[\]|\n#]{1,200})(?P<fragment>#[^\[\]|\n]{0,200})?"
    r"(?:\|(?P<label>[^\[\]\n]{0,200}))?\]\](?![(\[:])"
)
_PICTURE = re.compile(r"\.(?:avif|gif|jpe?g|png|svg|webp)$", re.IGNORECASE)
_ELEMENT = re.compile(r"<(?P<name>script|style)\b", re.IGNORECASE)
_COMPONENT = re.compile(r"<(?P<name>[A-Z][A-Za-z0-9.]{0,60})[\s/>]")
_MODULE = re.compile(r"^(?:import|export)\s[^\n]{1,300}$", re.MULTILINE)
_HTML = re.compile(r"</?[a-z][a-z0-9-]{0,30}(?=[\s/>])", re.IGNORECASE)
_MDX_TOOLS = frozenset({"astro", "docusaurus"})


def convert_wiki_links(source: Source) -> Iterator[Edit]:
    """Yield a link for `[[page]]` when the folder has this page; else name it."""
    for match in _WIKI.finditer(source.masked):
        page = match["page"].strip()
        if match["embed"] and _PICTURE.search(page):
            text = markdown.image(page, alt=match["label"] or "")
            yield Edit(start=match.start(), end=match.end(), text=text)
            continue
        address = source.context.find_post(page)
        if address is None:
            sentence = f"the wiki link [[{page}]] leads to no post and stays as text"
            source.remark(match.start(), sentence)
            continue
        label = (match["label"] or page).strip()
        link = markdown.link(label, address + (match["fragment"] or "").replace(" ", "-"))
        yield Edit(start=match.start(), end=match.end(), text=link)


def name_leftovers(source: Source) -> None:
    """Name elements that are removed with their content, and pieces of MDX."""
    for match in _ELEMENT.finditer(source.masked):
        name = match["name"].lower()
        source.remark(match.start(), f"the element <{name}> is removed with its content")
    if source.tool in _MDX_TOOLS | {""}:
        for match in _COMPONENT.finditer(source.masked):
            sentence = f"the component <{match['name']}> is not known here; its tag is dropped"
            source.remark(match.start(), sentence)
    if source.tool in _MDX_TOOLS:
        for match in _MODULE.finditer(source.masked):
            source.remark(match.start(), "the line of JavaScript (import, export) stays as text")
    html = _HTML.search(source.masked) if source.context.hides_raw_html else None
    if html:
        sentence = "raw HTML, which Hugo did not show with its default settings, appears here"
        source.remark(html.start(), sentence)
