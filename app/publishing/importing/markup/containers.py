"""Blocks between lines of colons (`:::note`): they become quotes with a label."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from . import markdown
from .source import Edit, Source
from .tags import Tag

_LINE = re.compile(
    r"^(?P<indent>[ \t]{0,12})(?P<colons>:{3,})[ \t]*(?P<name>[A-Za-z][\w-]{0,30})?"
    r"(?P<title>[^\n]{0,300})$",
    re.MULTILINE,
)
ALERTS = {
    "caution": "CAUTION",
    "danger": "CAUTION",
    "important": "IMPORTANT",
    "info": "NOTE",
    "note": "NOTE",
    "secondary": "NOTE",
    "success": "TIP",
    "tip": "TIP",
    "warning": "WARNING",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Container:
    """An open block; `length` is the number of its colons."""

    match: re.Match[str]
    length: int


def convert_containers(source: Source) -> Iterator[Edit]:
    """Yield the edits for every block that is opened and closed."""
    open_blocks: list[_Container] = []
    for match in _LINE.finditer(source.masked):
        length = len(match["colons"])
        if match["name"]:
            open_blocks.append(_Container(match=match, length=length))
        elif not match["title"].strip() and open_blocks:
            block = _closed_by(open_blocks, length)
            yield from _block(source, block.match, match)
        elif not match["title"].strip():
            source.remark(match.start(), "the line ::: closes no block and stays as text")
    for block in open_blocks:
        source.remark(block.match.start(), f"the block :::{block.match['name']} is never closed")


def _closed_by(open_blocks: list[_Container], length: int) -> _Container:
    """Take the block that a line of colons closes: the innermost of this length, else the last."""
    if open_blocks[-1].length != length:
        for index in range(len(open_blocks) - 1, max(-1, len(open_blocks) - 20), -1):
            if open_blocks[index].length == length:
                return open_blocks.pop(index)
    return open_blocks.pop()


def _block(source: Source, opening: re.Match[str], closing: re.Match[str]) -> Iterator[Edit]:
    name = opening["name"].lower()
    title = opening["title"].strip().removeprefix("[").removesuffix("]").strip()
    if name == "details":
        before, after = markdown.details(title)
        yield Edit(start=opening.start(), end=opening.end(), text=before.rstrip("\n") + "\n")
        yield Edit(start=closing.start(), end=closing.end(), text=f"\n{after.strip()}\n")
        return
    if name not in ALERTS:
        source.note_unknown_tag(opening.start(), f":::{name}")
        return
    head = f"[!{ALERTS[name]}]" + (f"\n**{title}**\n" if title and title[0] != "{" else "")
    tags = (_as_tag(opening), _as_tag(closing))
    yield from quote_edits(source, *tags, head)


def _as_tag(match: re.Match[str]) -> Tag:
    return Tag(start=match.start("colons"), end=match.end(), opening=":::", content="")


def quote_edits(source: Source, tag: Tag, partner: Tag, head: str) -> list[Edit]:
    """Return the edits that make a block quote of the lines between two tags."""
    text = source.text
    start = text.rfind("\n", 0, tag.start) + 1
    first = "" if not text[start : tag.start].strip(" \t>") else "\n\n"
    opening = first + "\n".join(f"> {line}".rstrip() for line in head.split("\n"))
    if text[tag.end : tag.end + 1] != "\n":
        opening += "\n> " if head else "> " if not first else ""
    edits = [Edit(start=tag.start, end=tag.end, text=opening if head else first)]
    if not head and text[tag.end : tag.end + 1] != "\n":
        edits = [Edit(start=tag.start, end=tag.end, text=f"{first}> ")]
    position = text.find("\n", tag.end, partner.start)
    while position >= 0 and position + 1 < partner.start:
        edits.append(Edit(start=position + 1, end=position + 1, text="> "))
        position = text.find("\n", position + 1, partner.start)
    edits.append(Edit(start=partner.start, end=partner.end, text="\n"))
    return edits
