"""Shortcodes of WordPress between square brackets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from . import markdown
from .source import Edit, Source, is_private
from .tags import read_arguments

_TAG = re.compile(
    r"\[(?P<slash>/?)(?P<name>[a-z][a-z0-9_-]{1,39})(?P<rest>\s[^\[\]\n]{0,1000})?\](?![(\[:])"
)
_MEDIA = frozenset({"audio", "playlist", "video"})
_NAMED = frozenset({"code", "contact-form", "contact-form-7", "gallery", "sourcecode"})
_AFTER_IMAGE = re.compile(
    r"\s*(?P<image>(?:<a\b[^<>]*>\s*)?<img\b[^<>]*>(?:\s*</a>)?)(?P<text>.*)", re.DOTALL
)


def convert_brackets(source: Source) -> Iterator[Edit]:
    """Yield the edits for captions, embeds and media; name what can't be converted."""
    partners, tags = _pair(source)
    for tag in tags:
        partner = partners.get(tag.start())
        name = tag["name"]
        if name == "caption" and partner:
            yield _caption(source, tag, partner)
        elif name == "embed" and partner:
            yield Edit(start=tag.start(), end=tag.end())
            yield Edit(start=partner.start(), end=partner.end())
        elif name in _MEDIA and tag["rest"]:
            arguments = read_arguments(tag["rest"])
            url = arguments.get("src", "mp4", "mp3", "webm", "ogg", 0)
            yield Edit(start=tag.start(), end=(partner or tag).end(), text=markdown.link(url, url))
        elif (is_private(name) and partner) or (name in _NAMED and (partner or tag["rest"])):
            source.note_unknown_tag(tag.start(), name)


def _pair(source: Source) -> tuple[dict[int, re.Match[str]], list[re.Match[str]]]:
    """Return the closing tag of each tag by position, and the tags that open."""
    partners: dict[int, re.Match[str]] = {}
    open_tags: dict[str, list[re.Match[str]]] = {}
    openings: list[re.Match[str]] = []
    for match in _TAG.finditer(source.masked):
        stack = open_tags.setdefault(match["name"], [])
        if not match["slash"]:
            openings.append(match)
            stack.append(match)
        elif stack:
            partners[stack.pop().start()] = match
    return partners, openings


def _caption(source: Source, tag: re.Match[str], partner: re.Match[str]) -> Edit:
    inner = source.text[tag.end() : partner.start()]
    words = read_arguments(tag["rest"] or "").get("caption")
    match = _AFTER_IMAGE.fullmatch(inner)
    image, text = (match["image"], match["text"].strip() or words) if match else (inner, words)
    caption = f"<figcaption>{escape(text, quote=False) if text == words else text}</figcaption>"
    html = f"<figure>{image}{caption if text else ''}</figure>"
    return Edit(start=tag.start(), end=partner.end(), text=html)
