"""kramdown's own marks: comments, attribute lists and options; also marks of contents lists."""

from __future__ import annotations

import re
from collections.abc import Iterator

from .source import Edit, Source

_EXTENSION = re.compile(r"\{::(?P<name>[a-z]{1,20})[^{}\n]{0,500}\}|\{:/(?P<end>[a-z]{0,20})\}")
_CONTENTS_LIST = re.compile(
    r"^[ ]{0,3}(?:[-*+]|\d{1,3}\.)[ \t][^\n]{0,200}\n[ ]{0,6}\{:[ ]?toc[^{}\n]{0,200}\}[ \t]*$",
    re.MULTILINE,
)
_CONTENTS = re.compile(
    r"^[ ]{0,3}(?:\[TOC\]|\[\[toc\]\]|@\[toc\])[^\n\w]{0,20}$", re.MULTILINE | re.IGNORECASE
)
_ATTRIBUTES = re.compile(r"\{:(?![:/])(?P<words>[^{}\n]{0,500})\}")
_WORDS = re.compile(
    r"\s*(?:[.#][\w-]+|[\w-]+=(?:\"[^\"]*\"|'[^']*'|\S+)|\.?[\w-]+|[\w-]+:.*)"
    r"(?:\s+(?:[.#][\w:-]+|[\w-]+=(?:\"[^\"]*\"|'[^']*'|\S+)|[\w-]+))*\s*"
)
_ID = re.compile(r"#([A-Za-z][\w-]{0,99})")
_HEADING = re.compile(r"[ ]{0,3}#{1,6}[ \t]")


def convert_kramdown(source: Source) -> Iterator[Edit]:
    """Yield the edits for everything that only kramdown and Python-Markdown read."""
    yield from _extensions(source)
    for pattern in (_CONTENTS_LIST, _CONTENTS):
        for match in pattern.finditer(source.masked):
            yield Edit(start=match.start(), end=match.end())
    yield from _attribute_lists(source)


def _extensions(source: Source) -> Iterator[Edit]:
    start: int | None = None
    for match in _EXTENSION.finditer(source.masked):
        name, is_end = match["name"], match["name"] is None
        if start is not None:
            if is_end and match["end"] in {"", "comment"}:
                source.remark(start, "the comment was never shown and is removed")
                yield Edit(start=start, end=match.end())
                start = None
        elif name == "comment" and match[0].endswith("/}"):
            yield Edit(start=match.start(), end=match.end())
        elif name == "comment":
            start = match.start()
        elif is_end and match["end"] == "comment":
            source.hold_back(match.start(), "{:/comment} closes nothing; it is kept a draft")
        else:
            yield Edit(start=match.start(), end=match.end())
    if start is not None:
        source.hold_back(start, "the comment {::comment} is never closed; it is kept a draft")


def _attribute_lists(source: Source) -> Iterator[Edit]:
    """Remove attribute lists; the id of a heading stays with its heading."""
    for match in _ATTRIBUTES.finditer(source.masked):
        if not _WORDS.fullmatch(match["words"]):
            continue
        identifier = _ID.search(match["words"])
        place = _heading_end(source.masked, match.start()) if identifier else None
        start = match.start()
        if identifier and place is not None:
            is_same_line = "\n" not in source.masked[place:start]
            start = place if is_same_line else start
            text = f" {{#{identifier[1]}}}"
            yield Edit(start=place, end=match.end() if is_same_line else place, text=text)
        if "toc" not in match["words"]:
            source.remark(match.start(), "the attribute list {: … } is dropped")
        yield Edit(start=start, end=match.end())


def _heading_end(text: str, position: int) -> int | None:
    """Return the end of the heading to which an attribute list at `position` belongs."""
    line_start = text.rfind("\n", 0, position) + 1
    if _HEADING.match(text, line_start):
        return len(text[:position].rstrip(" \t"))
    if text[line_start:position].strip() or line_start == 0:
        return None
    before = text.rfind("\n", 0, line_start - 1) + 1
    return line_start - 1 if _HEADING.match(text, before) else None
