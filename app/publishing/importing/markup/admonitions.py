"""Admonitions of Python-Markdown (`!!! note "Title"` and an indented text): they become quotes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .containers import ALERTS
from .source import Edit, Source

_HEAD = re.compile(
    r"[ \t]{0,20}(?:!!!|\?\?\?\+?)[ \t]+"
    r"(?P<names>[A-Za-z][\w-]{0,30}(?:[ \t]+[\w-]{1,30}){0,4})"
    r"(?:[ \t]+\"(?P<title>[^\n\"]{0,300})\")?[ \t]*$"
)
_KINDS = ALERTS | {
    "abstract": "NOTE",
    "attention": "WARNING",
    "bug": "CAUTION",
    "check": "TIP",
    "done": "TIP",
    "error": "CAUTION",
    "example": "NOTE",
    "fail": "CAUTION",
    "failure": "CAUTION",
    "hint": "TIP",
    "summary": "NOTE",
    "todo": "NOTE",
    "tldr": "NOTE",
}
_STEP = 4
_MAX_DEPTH = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Open:
    """An admonition whose lines are being read: their indentation, and what replaces it."""

    indent: int
    prefix: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """A line of the text; `masked` has blanks where code is, and `indent` counts columns."""

    start: int
    text: str
    masked: str

    @property
    def indent(self) -> int:
        expanded = self.text.expandtabs(_STEP)
        return len(expanded) - len(expanded.lstrip(" "))

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()


def convert_admonitions(source: Source) -> Iterator[Edit]:
    """Yield the edits for every admonition that has a text."""
    if "!!!" not in source.masked and "???" not in source.masked:
        return
    lines = list(_lines(source))
    following = _following_indents(lines)
    stack: list[_Open] = []
    for number, line in enumerate(lines):
        indent = following[number] if line.is_blank else line.indent
        was_open = len(stack)
        while stack and indent < stack[-1].indent:
            stack.pop()
        is_end = len(stack) < was_open and not line.is_blank
        after = _blank_line(stack) if is_end and not lines[number - 1].is_blank else ""
        head = _HEAD.match(line.masked)
        if head and len(stack) < _MAX_DEPTH and following[number] >= indent + _STEP:
            prefix = _prefix(stack, indent)
            stack.append(_Open(indent=indent + _STEP, prefix=f"{prefix}> "))
            yield _replace(line, after + _head_lines(head, prefix))
        elif stack or after:
            yield _replace(line, after + _body_line(line, stack))


def _lines(source: Source) -> Iterator[_Line]:
    start = 0
    for text, masked in zip(source.text.split("\n"), source.masked.split("\n"), strict=True):
        yield _Line(start=start, text=text, masked=masked)
        start += len(text) + 1


def _following_indents(lines: list[_Line]) -> list[int]:
    """Return for each line the indentation of the next line that is not blank; -1 at the end."""
    indents = [-1] * len(lines)
    following = -1
    for number in range(len(lines) - 1, -1, -1):
        indents[number] = following
        if not lines[number].is_blank:
            following = lines[number].indent
    return indents


def _blank_line(stack: list[_Open]) -> str:
    """Return the blank line that ends a quote within the quotes around it."""
    return (stack[-1].prefix.rstrip() if stack else "") + "\n"


def _prefix(stack: list[_Open], indent: int) -> str:
    """Return the marks of the quotes around a line, and its blanks beyond them."""
    outer = stack[-1] if stack else _Open(indent=0, prefix="")
    return outer.prefix + " " * (indent - outer.indent)


def _head_lines(head: re.Match[str], prefix: str) -> str:
    """Return the first lines of the quote: its kind, and its title in bold."""
    name = head["names"].split()[0].lower()
    title = head["title"]
    if title is None and name not in _KINDS:
        title = name.capitalize()
    lines = [f"{prefix}> [!{_KINDS.get(name, 'NOTE')}]"]
    if title and title.strip():
        lines += [f"{prefix}> **{title.strip()}**", f"{prefix}>"]
    return "\n".join(lines)


def _body_line(line: _Line, stack: list[_Open]) -> str:
    if line.is_blank:
        return stack[-1].prefix.rstrip() if stack else ""
    text = line.text.expandtabs(_STEP) if stack else line.text
    return _prefix(stack, line.indent) + text.lstrip(" ") if stack else text


def _replace(line: _Line, text: str) -> Edit:
    return Edit(start=line.start, end=line.start + len(line.text), text=text)
