"""Comments and blocks for members: text that the old site did not show to its readers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .source import Edit, Source
from .tags import find_tags

_MORE = re.compile(
    r"\s*(?:more\b.*|truncate|TEASER_END(?::.*)?|excerpt|wp:more\b.*)\s*", re.IGNORECASE | re.DOTALL
)
_OUR_MORE = re.compile(r"\s*more\s*", re.IGNORECASE)
_REUSED = re.compile(r"\s*wp:block\s")
_MEMBERS = "members-only"
_GATE = "kg-gated-block:"
_DEFINITION = re.compile(
    r"^[ ]{0,3}\[(?://|comment)\]:[ \t]*(?:#|<#?>)[ \t]*"
    r"(?:\([^\n]*\)|\"[^\"\n]*\"|'[^'\n]*')[ \t]*$",
    re.MULTILINE | re.IGNORECASE,
)
_OBSIDIAN = re.compile(r"(?:(?<=\s)|^)%%(?!%)|(?<!%)%%(?=[\s.,;:!?)]|\Z)", re.MULTILINE)


def convert_html_comments(source: Source) -> Iterator[Edit]:
    """Remove HTML comments and members' text; excerpt marks become `<!-- more -->`."""
    text, position = source.masked, 0
    while (start := text.find("<!--", position)) >= 0:
        end = text.find("-->", start + len("<!--"))
        if end < 0:
            yield from _unclosed(source, start)
            return
        words = source.text[start + len("<!--") : end]
        position = end + len("-->")
        name = words.strip()
        if name == _MEMBERS:
            source.remark(start, "the text below <!--members-only--> was for members; it is cut")
            yield Edit(start=start, end=len(text))
            return
        if name.startswith(_GATE):
            edit = _gated_block(source, start, position, name)
            position = edit.end
            yield edit
        elif not _OUR_MORE.fullmatch(words):
            yield Edit(start=start, end=position, text=_mark(source, start, words))


def _unclosed(source: Source, start: int) -> Iterator[Edit]:
    words = source.text[start + len("<!--") :].lstrip()
    if words.startswith((_MEMBERS, _GATE)):
        source.hold_back(start, "a mark of members' text is never closed; it is kept a draft")
    else:
        source.remark(start, "the comment <!-- is never closed")
    yield from ()


def _gated_block(source: Source, start: int, end: int, name: str) -> Edit:
    """Cut a block for members; keep one that other readers saw, without its marks."""
    if not name.startswith(f"{_GATE}begin") or "nonMember:true" in name.replace(" ", ""):
        return Edit(start=start, end=end)
    closing = source.masked.find(f"<!--{_GATE}end", end)
    closing_end = source.masked.find("-->", closing) if closing >= 0 else -1
    source.remark(start, "a block for members was not shown to every reader; it is cut")
    last = len(source.text) if closing_end < 0 else closing_end + len("-->")
    return Edit(start=start, end=last)


def _mark(source: Source, start: int, words: str) -> str:
    """Return what a comment leaves behind: the mark of an excerpt, or nothing."""
    if _REUSED.match(words):
        source.remark(start, "the reused block <!-- wp:block --> is not in this file")
    return "<!-- more -->" if _MORE.fullmatch(words) else ""


def convert_other_comments(source: Source) -> Iterator[Edit]:
    """Remove the comments of Markdown, MDX and Obsidian."""
    for match in _DEFINITION.finditer(source.masked):
        yield Edit(start=match.start(), end=match.end())
    if source.tool in {"", "astro", "docusaurus"}:
        for tag in find_tags(source.masked, {"{/*": "*/}"}):
            text = "<!-- more -->" if tag.content == "truncate" else ""
            yield Edit(start=tag.start, end=tag.end, text=text)
    yield from _obsidian(source)


def _obsidian(source: Source) -> Iterator[Edit]:
    if "%%" not in source.masked:
        return
    start = -1
    for match in _OBSIDIAN.finditer(source.masked):
        if start < 0:
            is_opening = match.start() == 0 or source.masked[match.start() - 1].isspace()
            start = match.start() if is_opening else -1
        else:
            source.remark(start, "the comment %% … %% was never shown and is removed")
            yield Edit(start=start, end=match.end())
            start = -1
    if start >= 0 and _stands_alone(source.masked, start):
        source.hold_back(start, "the comment %% is never closed; it is kept a draft")


def _stands_alone(text: str, start: int) -> bool:
    """Tell whether the mark is the only text of its line."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", start)
    return text[line_start : len(text) if line_end < 0 else line_end].strip() == "%%"
