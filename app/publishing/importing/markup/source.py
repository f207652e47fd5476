"""A text while its tags are converted: edits, line numbers, remarks and reasons to hold it back."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from app.publishing.importing.references import mask_code

TEMPLATE_TOOLS = frozenset({"", "eleventy", "hexo", "jekyll", "nikola", "zola"})
"""The tools that replace `{% … %}` in a post; an unknown tool is treated as one of them."""

_PRIVATE = re.compile(
    r"private|member|restrict|protect|paywall|premium|subscriber|secret", re.IGNORECASE
)
# Non-characters of Unicode replace the marks of a text that must not be read as a tag again.
_MARKS = "{}<>%[]:#"
_PLACEHOLDERS = "".join(chr(0xFDD0 + index) for index in range(len(_MARKS)))
_PROTECT = str.maketrans(_MARKS, _PLACEHOLDERS)
_RESTORE = str.maketrans(_PLACEHOLDERS, _MARKS)
_NO_PLACEHOLDERS = dict.fromkeys(map(ord, _PLACEHOLDERS))


def _find_nothing(_: str) -> str | None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkupContext:
    """What tags may refer to.

    `templates` maps a tag to Markdown (`[shortcodes]` in `site.toml`), `values` gives variables
    (`page.title`), `find_post` gives the old address of a post that a tag names by its file.
    """

    templates: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    find_post: Callable[[str], str | None] = _find_nothing
    site_url: str = ""
    drafts_for_unknown_tags: bool = False
    hides_raw_html: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkupRemark:
    """Something to say about a tag; `line` counts from 1 within the original text."""

    line: int
    sentence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedText:
    """The Markdown after conversion; `lines` has the original line number of each of its lines.

    With any of `hold_back_reasons` the post must not be published: the old site may not have shown
    this text.
    """

    text: str
    lines: tuple[int, ...]
    remarks: tuple[MarkupRemark, ...] = ()
    hold_back_reasons: tuple[MarkupRemark, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """Replace the characters from `start` to `end` by `text`."""

    start: int
    end: int
    text: str = ""


@dataclass(slots=True, kw_only=True)
class Source:
    """One state of the text; `masked` has blanks where `text` has code."""

    text: str
    lines: list[int]
    tool: str
    context: MarkupContext
    remarks: dict[MarkupRemark, None] = field(default_factory=dict)
    reasons: dict[MarkupRemark, None] = field(default_factory=dict)
    masked: str = field(init=False)
    _line_starts: list[int] = field(init=False)

    def __post_init__(self) -> None:
        """Find the code and the lines of the text."""
        self._refresh()

    def _refresh(self) -> None:
        self.masked = mask_code(self.text)
        ends = (match.end() for match in re.finditer("\n", self.text))
        self._line_starts = [0, *ends]

    def line_at(self, position: int) -> int:
        """Return the line of the original text at which this position stands."""
        return self.lines[bisect_right(self._line_starts, position) - 1]

    def remark(self, position: int, sentence: str) -> None:
        """Note something that a person should know about this place."""
        self.remarks[MarkupRemark(line=self.line_at(position), sentence=sentence)] = None

    def hold_back(self, position: int, sentence: str) -> None:
        """Note why the post must stay a draft."""
        self.reasons[MarkupRemark(line=self.line_at(position), sentence=sentence)] = None

    def note_unknown_tag(self, position: int, name: str) -> None:
        """Name a tag that stays as text; hold the post back for a private name or on request."""
        if is_private(name):
            self.hold_back(position, f"the tag {name!r} may mark private text; it is kept a draft")
            return
        sentence = f"the tag {name!r} is not known here and stays as text"
        if self.context.drafts_for_unknown_tags:
            self.hold_back(position, sentence)
        else:
            self.remark(position, sentence)

    def apply(self, edits: Iterable[Edit]) -> None:
        """Make the edits; of two that overlap, the one that begins first."""
        pieces: list[str] = []
        lines = [self.lines[0]]
        position = 0
        for edit in sorted(edits, key=lambda edit: edit.start):
            if edit.start < position:
                continue
            pieces += [self.text[position : edit.start], edit.text]
            lines += self._line_numbers(position, edit.start)
            lines += [self.line_at(edit.start)] * edit.text.count("\n")
            position = edit.end
        if not pieces:
            return
        lines += self._line_numbers(position, len(self.text))
        self.text = "".join([*pieces, self.text[position:]])
        self.lines = lines
        self._refresh()

    def _line_numbers(self, start: int, end: int) -> list[int]:
        """Return the original numbers of the lines that begin inside this span."""
        first = bisect_right(self._line_starts, start)
        return self.lines[first : bisect_right(self._line_starts, end)]


def open_source(text: str, tool: str, context: MarkupContext) -> Source:
    """Begin the conversion of a text."""
    text = text.translate(_NO_PLACEHOLDERS)
    lines = list(range(1, text.count("\n") + 2))
    return Source(text=text, lines=lines, tool=tool.lower(), context=context)


def close_source(source: Source) -> ConvertedText:
    """Return the result of the conversion, with protected text restored."""
    return ConvertedText(
        text=source.text.translate(_RESTORE),
        lines=tuple(source.lines),
        remarks=tuple(source.remarks),
        hold_back_reasons=tuple(source.reasons),
    )


def protect(text: str) -> str:
    """Return the text in a form that no later converter reads as a tag."""
    return text.translate(_PROTECT)


def is_private(name: str) -> bool:
    """Tell whether the name of a tag speaks of text that is not for every reader."""
    return _PRIVATE.search(name) is not None
