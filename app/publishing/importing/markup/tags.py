"""Tags between delimiters: found in one pass over the text, and their arguments read.

Every function needs time in proportion to the length of its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MAX_TAG = 5000
"""The most characters of one tag; what is longer is text."""

_NAME = re.compile(r"[A-Za-z_][\w./:-]*")
_ARGUMENT = re.compile(
    r"""
    (?:(?P<key>[A-Za-z_][\w.-]*)\s*(?:=|:(?=\s*["']))\s*)?
    (?:"(?P<double>(?:[^"\\]|\\.)*)"|'(?P<single>(?:[^'\\]|\\.)*)'|`(?P<raw>[^`]*)`
    |(?P<bare>[^\s,"'`=]+))
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_PLACEHOLDER = re.compile(r"\{(\w{1,40})\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """A tag at `start:end`; `content` is the text between its delimiters."""

    start: int
    end: int
    opening: str
    content: str

    @property
    def is_closing(self) -> bool:
        """Whether it is written with a slash (`/figure`)."""
        return self.content.startswith("/")

    @property
    def name(self) -> str:
        """The first word, without a slash; empty if the tag does not begin with a word."""
        match = _NAME.match(self.content.lstrip("/ \t\n"))
        return match[0].rstrip(":") if match else ""

    @property
    def rest(self) -> str:
        """What follows the name."""
        content = self.content.lstrip("/ \t\n")
        rest = content[len(self.name) :].strip()
        is_shortcode = self.opening in {"{{<", "{{%"}
        return rest.removesuffix("/").rstrip() if is_shortcode else rest


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    """The arguments of a tag: those with a name, and the others in their order."""

    positional: tuple[str, ...] = ()
    named: Mapping[str, str] = field(default_factory=dict)

    def get(self, *names: str | int) -> str:
        """Return the first of these arguments that is not empty, by name or by position."""
        for name in names:
            if isinstance(name, str):
                value = self.named.get(name, "")
            else:
                value = self.positional[name] if name < len(self.positional) else ""
            if value:
                return value
        return ""


def find_tags(
    text: str, delimiters: Mapping[str, str], *, original: str | None = None
) -> Iterator[Tag]:
    """Find every tag; an opening delimiter that is followed by another one is text.

    `original` is the text from which contents are taken when `text` has blanks for code.
    """
    words = sorted({*delimiters, *delimiters.values()}, key=len, reverse=True)
    opening, start = "", 0
    for match in re.finditer("|".join(map(re.escape, words)), text):
        if match[0] in delimiters:
            opening, start = match[0], match.start()
        elif opening and delimiters[opening] == match[0]:
            if match.end() - start <= MAX_TAG:
                content = (original or text)[start + len(opening) : match.start()]
                content = content.removeprefix("-").removesuffix("-").strip()
                yield Tag(start=start, end=match.end(), opening=opening, content=content)
            opening = ""


def read_arguments(text: str) -> Arguments:
    """Read `a "b c" key="value"` as tags write it."""
    positional: list[str] = []
    named: dict[str, str] = {}
    for match in _ARGUMENT.finditer(text):
        value = next(
            (match[kind] for kind in ("double", "single", "raw", "bare") if match[kind]), ""
        )
        if match["double"] or match["single"]:
            value = _ESCAPE.sub(r"\1", value)
        if match["key"]:
            named[match["key"].lower()] = value
        else:
            positional.append(value)
    return Arguments(positional=tuple(positional), named=named)


def fill_template(template: str, arguments: Arguments, body: str = "") -> str:
    """Put arguments into a template such as `![{1}]({0})`; `{body}` is the text inside the tag."""
    values = {str(index): value for index, value in enumerate(arguments.positional)}
    values |= arguments.named
    values["body"] = body
    return _PLACEHOLDER.sub(lambda match: values.get(match[1].lower(), ""), template)
