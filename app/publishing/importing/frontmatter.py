"""Front matter: the metadata above a text, as Hugo, Jekyll and Zola write it, made one shape.

Pure: text in, values out. Errors carry the line of the file.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import yaml

from .value_limits import depth_change, exceeds_limits
from .yaml_loader import NULL, make_loader

Kind: TypeAlias = Literal["yaml", "toml", "json", "headers", "none"]

MAX_FRONT_MATTER = 64 * 1024
MAX_VALUES = 5000
MAX_DEPTH = 20
MAX_ALIASED_TEXT = 500
"""The longest text that other keys may repeat by an alias."""

_FENCES: dict[str, Kind] = {"---": "yaml", "+++": "toml"}
_HEADER = re.compile(
    r"(?:title|date|slug|author|authors|category|tags|status)\s*:\s*\S", re.IGNORECASE
)
_HEADER_LINE = re.compile(r"([A-Za-z][\w -]*?)\s*:(.*)")
_TOML_LINE = re.compile(r"\(at line (\d+), column \d+\)")


class FrontMatterError(ValueError):
    """Front matter that cannot be used; `line` counts from the first line of the file."""

    def __init__(self, reason: str, *, line: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.line = line


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file taken apart; `offset` is how many lines stand above the body.

    `body_lines` numbers the lines of a body that was converted, as they were before. `is_html`: the
    body is HTML, not Markdown.
    """

    kind: Kind
    values: Mapping[str, Any]
    body: str
    offset: int
    source: str = ""
    body_lines: tuple[int, ...] = ()
    is_html: bool = False

    def line_in_file(self, body_line: int) -> int:
        """Return the line of the file from which this line of the body comes."""
        if 0 < body_line <= len(self.body_lines):
            body_line = self.body_lines[body_line - 1]
        return self.offset + body_line

    def line_of(self, key: str) -> int:
        """Tell the line of the file on which a key is written; the first when it is not."""
        spelling = "[-_]?".join(map(re.escape, key))
        pattern = re.compile(rf"""\s*(?:\.\. )?["']?[-_]?{spelling}["']?\s*[:=]""", re.IGNORECASE)
        lines = self.source.split("\n")
        return next((number for number, line in enumerate(lines, 1) if pattern.match(line)), 1)


DOTTED = re.compile(r"\ufeff?\s*(?:<!--\s*)?\.\. [\w-]+:(?:\s|$)", re.MULTILINE)
"""The start of Nikola's metadata."""
_DOTTED_LINE = re.compile(r"\.\. ([\w-]+):(?:\s+(.*)|$)")


def split(text: str) -> Document:
    """Take a file apart into front matter and body; raises `FrontMatterError`."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    first = text.split("\n", 1)[0].rstrip()
    if first in _FENCES:
        return _fenced(text, first)
    if DOTTED.match(text):
        return _dotted(text)
    if first.startswith("{"):
        return _braced(text)
    if _HEADER.match(first):
        return _headers(text)
    return Document(kind="none", values={}, body=text, offset=0)


def _dotted(text: str) -> Document:
    """Read Nikola's `.. key: value` lines, often inside a comment."""
    lines = text.split("\n")
    values: dict[str, str] = {}
    end = 0
    for end, line in enumerate(lines):  # noqa: B007 - the line after the last key counts
        stripped = line.strip().removeprefix("<!--").strip()
        if match := _DOTTED_LINE.match(stripped.removesuffix("-->").strip()):
            values.setdefault(match[1], match[2].strip())
        if line.strip().endswith("-->") or (values and not match):
            break
    source = "\n".join(lines[: end + 1])
    _bounded_source(source)
    body = "\n".join(lines[end + 1 :])
    return _document("headers", values, body, offset=end + 1, source=source)


def _headers(text: str) -> Document:
    """Read MultiMarkdown's `Key: value` lines up to a blank line; four blanks continue a value."""
    lines = text.split("\n")
    end = next((n for n, line in enumerate(lines) if not line.strip()), len(lines))
    values: dict[str, str] = {}
    key = ""
    for number, line in enumerate(lines[:end], 1):
        match = _HEADER_LINE.match(line)
        if line.startswith("    ") and key:
            values[key] = f"{values[key]} {line.strip()}".strip()
        elif match:
            key = match[1].strip()
            values[key] = match[2].strip()
        else:
            raise FrontMatterError("a line among the headers is no `Key: value`", line=number)
    source = "\n".join(lines[:end])
    _bounded_source(source)
    body = "\n".join(lines[end + 1 :])
    return _document("headers", values, body, offset=min(end + 1, len(lines)), source=source)


def _fenced(text: str, fence: str) -> Document:
    lines = text.split("\n")
    closing = {fence, "..."} if fence == "---" else {fence}
    end = next((n for n, line in enumerate(lines[1:], 1) if line.rstrip() in closing), None)
    if end is None:
        raise FrontMatterError(f"the front matter opens with {fence} and never closes", line=1)
    kind = _FENCES[fence]
    source = "\n".join(lines[1:end])
    _bounded_source(source)
    values = parse_yaml(source) if kind == "yaml" else _toml(source)
    body = "\n".join(lines[end + 1 :])
    # One line above keeps the counting of `line_of` equal to the file's.
    above = "\n".join(lines[:end])
    return _document(kind, values, body, offset=end + 1, source=above)


def _braced(text: str) -> Document:
    try:
        values, end = json.JSONDecoder().raw_decode(text)
    except json.JSONDecodeError as error:
        raise FrontMatterError(
            f"the JSON front matter is broken: {error.msg}", line=error.lineno
        ) from None
    except (RecursionError, ValueError) as error:
        raise FrontMatterError(f"the JSON front matter is broken: {error}", line=1) from None
    _bounded_source(text[:end])
    rest = text[end:].split("\n", 1)
    offset = text[:end].count("\n") + 1
    return _document(
        "json", values, rest[1] if len(rest) > 1 else "", offset=offset, source=text[:end]
    )


def _document(kind: Kind, values: Any, body: str, *, offset: int, source: str) -> Document:
    if values is None:
        values = {}
    if not isinstance(values, dict):
        raise FrontMatterError("the front matter is not a list of keys and values", line=1)
    _bounded_values(values)
    fields = {str(key): value for key, value in values.items()}
    return Document(kind=kind, values=fields, body=body, offset=offset, source=source)


_TRAILING_BLANKS = re.compile(r"[ \t]+$", re.MULTILINE)


_LOADER = make_loader(NULL)
"""A title `No`, a slug `007` and a time `12:30:45` stay text; each key has its own reader."""


def parse_yaml(source: str) -> Any:
    """Read YAML, in which an alias may only repeat a short text.

    Raises `FrontMatterError` with the line of what is wrong.
    """
    source = _TRAILING_BLANKS.sub("", source)  # YAML refuses a tab at the end of a line
    try:
        _refuse_bombs(source)
        return yaml.load(source, Loader=_LOADER)  # noqa: S506 - it is a SafeLoader
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 2 if mark else 1
        raise FrontMatterError(f"the YAML is broken: {error.problem or error}", line=line) from None
    except yaml.reader.ReaderError as error:
        line = source[: error.position].count("\n") + 2
        raise FrontMatterError(f"the YAML is broken: {error.reason}", line=line) from None
    except (RecursionError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise FrontMatterError(f"the YAML is broken: {error}", line=1) from None


def _refuse_bombs(source: str) -> None:
    """Refuse aliases of lists and tables, which multiply values, and depth."""
    depth = 0
    anchor = ""
    texts: set[str] = set()
    for token in yaml.scan(source):
        depth += depth_change(token)
        problem = None
        if isinstance(token, yaml.AliasToken):
            if token.value not in texts:
                problem = f"aliases (*{token.value}) are not accepted; write the value out"
        elif depth > MAX_DEPTH:
            problem = f"it nests more than {MAX_DEPTH} levels deep"
        if problem:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=token.start_mark)
        if isinstance(token, yaml.ScalarToken) and anchor and len(token.value) <= MAX_ALIASED_TEXT:
            texts.add(anchor)
        if not isinstance(token, yaml.TagToken):
            anchor = token.value if isinstance(token, yaml.AnchorToken) else ""
            texts.discard(anchor)  # a name may be used again


def _toml(source: str) -> Any:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        match = _TOML_LINE.search(message)
        line = int(match[1]) + 1 if match else source.count("\n") + 2
        reason = _TOML_LINE.sub("", message).replace("(at end of document)", "").strip()
        raise FrontMatterError(f"the TOML is broken: {reason}", line=line) from None
    except (RecursionError, ValueError) as error:
        raise FrontMatterError(f"the TOML is broken: {error}", line=1) from None


def _bounded_source(source: str) -> None:
    if len(source) > MAX_FRONT_MATTER:
        raise FrontMatterError(
            f"the front matter is larger than {MAX_FRONT_MATTER // 1024} KiB", line=1
        )


def _bounded_values(values: Any) -> None:
    """Refuse what is small to write and large to hold."""
    if exceeds_limits(values, most=MAX_VALUES, depth=MAX_DEPTH):
        raise FrontMatterError("the front matter has too many values or nests too deep", line=1)
