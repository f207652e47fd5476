"""Texts in HTML: their tags are converted, and the whole text becomes one block of raw HTML.

Markdown ends a block of HTML at a blank line and reads what follows as Markdown, so that the block
has no blank line. What the sanitizer will drop is named.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import escape

from app.publishing.text.markdown import to_html
from app.publishing.text.sanitizer import ACCEPTED_TAGS, REMOVED_WITH_CONTENT

from .comments import convert_html_comments
from .hugo import convert_shortcodes
from .source import ConvertedText, Edit, MarkupContext, Source, close_source, open_source
from .template_tags import convert_template_tags
from .wordpress import convert_brackets

_CONVERTERS: tuple[Callable[[Source], Iterator[Edit]], ...] = (
    convert_shortcodes,
    convert_template_tags,
    convert_html_comments,
    convert_brackets,
)
_LINK = re.compile(r"\[[^\]\n]*\]\(")
_FENCE = re.compile(r"^[ \t]*(?P<ticks>`{3,})(?P<language>[\w+#.-]*)[ \t]*$")
_TAG = re.compile(r"<(?P<name>[a-z][a-z0-9-]{0,40})(?P<attributes>[^<>]{0,2000})>", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"\s(?P<name>style|on[a-z]{2,30})\s*=", re.IGNORECASE)
_FRAME = frozenset({"body", "center", "font", "head", "html", "link", "meta", "noscript"})
"""Elements whose tags readers do not miss."""

_OPENING = re.compile(r"<pre><code[^<>]*>", re.IGNORECASE)
"""A line whose end is not a part of the code."""

_NEW_LINE = "&#10;"
_PRE = re.compile(r"<(?P<end>/?)pre\b", re.IGNORECASE)


def convert_html(text: str, tool: str = "", context: MarkupContext | None = None) -> ConvertedText:
    """Convert a text in HTML to Markdown that is one block of HTML."""
    source = open_source(text.replace("`", "&#96;"), tool, context or MarkupContext())
    for convert in _CONVERTERS:
        source.apply([_as_html(edit) for edit in convert(source)])
    _name_dropped(source)
    converted = close_source(source)
    # `](` is no link in HTML, and must not be taken for one where references are replaced.
    lines = converted.text.replace("](", "]&#40;").split("\n")
    lines, numbers = _one_block(lines, converted.lines)
    return replace(converted, text="\n".join(lines), lines=tuple(numbers))


def _as_html(edit: Edit) -> Edit:
    """Return the edit with links and images in HTML; fences are converted with their content."""
    if not _LINK.search(edit.text):
        return edit
    html = to_html(edit.text)[0].strip()
    html = html.removeprefix("<p>").removesuffix("</p>") if html.count("<p>") == 1 else html
    return replace(edit, text=html)


def _name_dropped(source: Source) -> None:
    """Name each element and attribute that readers will not get, once, at its first place."""
    names: set[str] = set()
    for match in _TAG.finditer(source.text):
        name = match["name"].lower()
        if name not in ACCEPTED_TAGS | _FRAME and name not in names:
            names.add(name)
            what = "with its content" if name in REMOVED_WITH_CONTENT else "and its content stays"
            source.remark(match.start(), f"the element <{name}> is removed {what}")
        for attribute in _ATTRIBUTE.finditer(match["attributes"]):
            word = attribute["name"].lower()
            if word not in names:
                names.add(word)
                source.remark(match.start(), f"the attribute {word} is removed")


def _one_block(lines: list[str], numbers: tuple[int, ...]) -> tuple[list[str], list[int]]:
    """Return the lines in a `<div>` without blank lines, and their original numbers.

    A blank line of preformatted text becomes a character reference before the next line.
    """
    block, block_numbers = ["<div>"], [numbers[0]]
    depth, blanks, opening = 0, 0, ""
    for line, number in zip(_without_fences(lines), numbers, strict=True):
        if not line.strip():
            blanks += 1 if depth else 0
            continue
        for match in _PRE.finditer(line):
            depth = max(0, depth - 1) if match["end"] else depth + 1
        if _OPENING.fullmatch(line):
            opening += line
            continue
        block.append(opening + _NEW_LINE * blanks + line)
        block_numbers.append(number)
        blanks, opening = 0, ""
    return [*block, f"{opening}</div>"], [*block_numbers, numbers[-1]]


def _without_fences(lines: list[str]) -> Iterator[str]:
    """Yield the lines with fenced code, which tags have become, as preformatted text."""
    fence = ""
    for line in lines:
        match = _FENCE.match(line)
        if match and not fence:
            fence = match["ticks"]
            language = match["language"]
            name = f' class="language-{escape(language.lower())}"' if language else ""
            yield f"<pre><code{name}>"
        elif match and match["ticks"] == fence and not match["language"]:
            fence = ""
            yield "</code></pre>"
        else:
            yield escape(line, quote=False) if fence else line
