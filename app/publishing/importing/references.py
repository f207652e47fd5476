"""References in Markdown: where a text names an image or a link, and how to put another there.

Pure: a text in, places or a text out. Code blocks and code spans are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby

# Every pattern reads each character a bounded number of times: a hostile text must not hang it.
_FENCE = re.compile(r"[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t>]+)*(`{3,}|~{3,})")
_IMAGE_LABELS = re.compile(r"!\[(?P<alt>[^\[\]]{0,999})\](?:\[(?P<label>[^\[\]]{0,999})\])?")
_BRACKETS = re.compile(r"[\[\]]")
_NOT_END = re.compile(r"[^\n]")
_TICKS = re.compile(r"(?<![\\`])`+")
_PLACES = re.compile(
    r"""
    \]\(\s*(?:<(?P<angled>[^<>\n]*)>|(?P<inline>[^\s()<>]+(?:\([^\s()<>]*\)[^\s()<>]*)*))
    | ^[ ]{0,3}\[(?!\^)[^\]\n]+\]:[ \t]*\n?[ \t]*(?:<(?P<defined_angled>[^<>\n]*)>|(?P<defined>\S+))
    | <(?:img|a|audio|video|source|embed|iframe)\b[^<>]*?\b(?:src|href)\s*=\s*
      (?:"(?P<double>[^"<>]*)"|'(?P<single>[^'<>]*)')
    """,
    re.VERBOSE | re.MULTILINE | re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One place where a text names something; `line` counts from 1 within the text.

    `is_image` tells whether the text shows the target.
    """

    target: str
    start: int
    end: int
    line: int
    is_image: bool = False


def find(markdown: str) -> Iterator[Reference]:
    """Every target of an image, a link or a definition, in the order of the text."""
    masked = mask_code(markdown)
    brackets = _find_brackets(masked)
    line, position = 1, 0
    for match in _PLACES.finditer(masked):
        name = match.lastgroup or "inline"
        start, end = match.span(name)
        line, position = line + markdown.count("\n", position, start), start
        if start < end:
            yield Reference(
                target=markdown[start:end],
                start=start,
                end=end,
                line=line,
                is_image=_is_image(masked, match, brackets),
            )


def _is_image(masked: str, match: re.Match[str], brackets: _Brackets) -> bool:
    """Tell whether a target is that of `![…](…)`, of `![…][x]` or of `<img>`."""
    if match[0].startswith("<"):
        return match[0][:4].lower() == "<img"
    if match[0].startswith("]"):
        start = brackets.opening.get(match.start(), 0)
        return start > 0 and masked[start - 1] == "!"
    return _fold_label(match[0].partition("]:")[0].lstrip(" [")) in brackets.image_labels


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brackets:
    """For each `]` the position of the `[` that it closes, and the labels that images name."""

    opening: Mapping[int, int] = field(default_factory=dict)
    image_labels: frozenset[str] = frozenset()


def _find_brackets(masked: str) -> _Brackets:
    """Find the brackets of a text; none if it has no image in Markdown."""
    if "![" not in masked:
        return _Brackets()
    labels = (
        _fold_label(match["label"] or match["alt"]) for match in _IMAGE_LABELS.finditer(masked)
    )
    return _Brackets(opening=_find_labels(masked), image_labels=frozenset(labels))


def _fold_label(label: str) -> str:
    return " ".join(label.casefold().split())


def _find_labels(masked: str) -> dict[int, int]:
    """Return for each `]` the position of the `[` that it closes."""
    labels: dict[int, int] = {}
    opening: list[int] = []
    for bracket in _BRACKETS.finditer(masked):
        if bracket[0] == "[":
            opening.append(bracket.start())
        elif opening:
            labels[bracket.start()] = opening.pop()
    return labels


def replace(markdown: str, targets: Mapping[str, str]) -> str:
    """The text with every target that is a key of `targets` exchanged for its value."""
    pieces, position = [], 0
    for reference in find(markdown):
        if reference.target in targets:
            pieces += [markdown[position : reference.start], targets[reference.target]]
            position = reference.end
    return "".join([*pieces, markdown[position:]])


@lru_cache(maxsize=8)  # the steps of an import mask the same text one after another
def mask_code(markdown: str) -> str:
    """Return the text with blanks where its code is; every position stays the same."""
    if "`" not in markdown and "~~~" not in markdown:
        return markdown
    lines: list[str] = []
    fence = ""
    for line in markdown.split("\n"):
        match = _FENCE.match(line) if "```" in line or "~~~" in line else None
        if fence or match:
            lines.append(" " * len(line))
        else:
            lines.append(line)
        if match and not fence:
            fence = match[1]
        elif match and match[1].startswith(fence) and not line[match.end() :].strip():
            fence = ""
    paragraphs = ("\n".join(group) for _, group in groupby(lines, key=_is_blank))
    return "\n".join(_without_spans(paragraph) for paragraph in paragraphs)


def _is_blank(line: str) -> bool:
    return not line.strip()


def _without_spans(paragraph: str) -> str:
    """A paragraph with blanks where its code spans are: from some backticks to as many again."""
    if "`" not in paragraph:
        return paragraph
    open_at: dict[int, int] = {}
    pieces, position = [], 0
    for ticks in _TICKS.finditer(paragraph):
        start = open_at.setdefault(len(ticks[0]), ticks.start())
        if start < ticks.start():
            span = paragraph[start : ticks.end()]
            pieces += [paragraph[position:start], _NOT_END.sub(" ", span)]
            position = ticks.end()
            open_at.clear()
    return "".join([*pieces, paragraph[position:]])
