"""Literal values in JavaScript: `key: 'text'`, `NAME = 'text'` and `call('text')`.

Nothing is executed: the text is cut into tokens, and only literals that stand alone are returned.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

Path: TypeAlias = tuple[str, ...]

MAX_TOKENS = 50_000

_TOKEN = re.compile(
    r"""
      (?P<comment> //[^\n]* | /\*(?:[^*]|\*(?!/))*\*/ )
    | (?P<text> '(?:[^'\\\n]|\\.)*' | "(?:[^"\\\n]|\\.)*" | `(?:[^`\\]|\\.)*` )
    | (?P<word> [A-Za-z_$][\w$]* )
    | (?P<number> \d+(?:\.\d+)? )
    | (?P<mark> [^\s] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r"}
_CLOSING = {"}": "{", "]": "[", ")": "("}
_WORDS: dict[str, Any] = {"true": True, "false": False, "null": None}
_ENDS = frozenset({",", "}", "]", ")", ";", ""})


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: str
    line_end: bool = False


@dataclass(slots=True)
class _Frame:
    mark: str
    name: str
    key: str = ""


def read_literals(source: str) -> dict[Path, Any]:
    """Return every literal with the names of the objects around it.

    Lists of literals become lists; a call is named `function()`. `module.exports`, `defineConfig`
    and names that end in `config` add no name. The first value of a name wins.
    """
    tokens = list(_tokens(source))
    values: dict[Path, Any] = {}
    frames = [_Frame("", "")]
    for index, token in enumerate(tokens):
        previous = tokens[index - 1].value if index else ""
        following = tokens[index + 1] if index + 1 < len(tokens) else _Token("mark", "")
        if token.kind == "mark":
            _enter_or_leave(frames, token.value, previous, tokens, index)
        elif _is_key(token, previous, following, frames[-1]):
            frames[-1].key = token.value
        elif _is_value(token, previous, following, frames[-1]):
            _record(values, frames, _literal(token))
    return values


def _tokens(source: str) -> Iterator[_Token]:
    count = 0
    for match in _TOKEN.finditer(source):
        kind = match.lastgroup or "mark"
        if kind == "comment":
            continue
        count += 1
        if count > MAX_TOKENS:
            raise ValueError(f"it has more than {MAX_TOKENS} tokens")
        value = match[kind]
        if value.startswith("`") and "${" in value:
            kind = "template"
        elif kind == "text":
            value = _ESCAPE.sub(lambda found: _ESCAPED.get(found[1], found[1]), value[1:-1])
        yield _Token(kind, value, source[match.end() : match.end() + 1] in {"\n", "\r", ""})


def _enter_or_leave(
    frames: list[_Frame], mark: str, previous: str, tokens: list[_Token], index: int
) -> None:
    if mark in "{[":
        name = frames[-1].key if previous in {":", "="} else ""
        frames.append(_Frame(mark, "" if _is_whole(name) else name))
    elif mark == "(":
        is_call = index > 0 and tokens[index - 1].kind == "word"
        frames.append(_Frame(mark, f"{previous}()" if is_call and not _is_whole(previous) else ""))
    elif mark in _CLOSING and len(frames) > 1 and frames[-1].mark == _CLOSING[mark]:
        frames.pop()
        frames[-1].key = "" if frames[-1].mark != "[" else frames[-1].key
    elif mark in ",;":
        frames[-1].key = ""


def _is_whole(name: str) -> bool:
    """Tell whether an object is the whole configuration: `exports`, `defineConfig`."""
    return name == "exports" or name.lower().endswith("config")


def _is_key(token: _Token, previous: str, following: _Token, frame: _Frame) -> bool:
    if token.kind == "word" and following.value == "=" and frame.mark in {"", "{"}:
        return True
    return frame.mark == "{" and previous in {"{", ","} and following.value == ":"


def _is_value(token: _Token, previous: str, following: _Token, frame: _Frame) -> bool:
    if token.kind == "template" or (token.kind == "word" and token.value not in _WORDS):
        return False
    if following.value not in _ENDS and not (token.line_end and frame.mark == ""):
        return following.value == "as" and previous in {":", "="}  # TypeScript's `as const`
    if frame.mark in {"[", "("}:
        return previous in {"[", "(", ","}
    return bool(frame.key) and previous in {":", "="}


def _literal(token: _Token) -> Any:
    if token.kind == "word":
        return _WORDS[token.value]
    if token.kind == "number":
        return float(token.value) if "." in token.value else int(token.value)
    return token.value


def _record(values: dict[Path, Any], frames: list[_Frame], value: Any) -> None:
    frame = frames[-1]
    path = tuple(part.name for part in frames if part.name)
    if frame.mark in {"[", "("}:
        items = values.setdefault(path, [])
        if path and isinstance(items, list):
            items.append(value)
        return
    values.setdefault((*path, frame.key), value)


def read_objects(source: str) -> Iterator[dict[str, Any]]:
    """Yield the literals of each object by their keys, inner objects first.

    A list of literals becomes a list; what is part of an expression is left out.
    """
    return (values for _, values in read_objects_in_place(source))


def read_objects_in_place(source: str) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield each object as `read_objects` does, with the names of the objects around it."""
    tokens = list(_tokens(source))
    frames = [_Frame("", "")]
    objects: list[dict[str, Any]] = []
    for index, token in enumerate(tokens):
        previous = tokens[index - 1].value if index else ""
        following = tokens[index + 1] if index + 1 < len(tokens) else _Token("mark", "")
        if token.kind == "mark":
            is_end = token.value == "}" and frames[-1].mark == "{"
            if token.value == "{":
                objects.append({})
            names = tuple(frame.name for frame in frames if frame.name)
            _enter_or_leave(frames, token.value, previous, tokens, index)
            if is_end and objects:
                yield names, objects.pop()
        elif _is_key(token, previous, following, frames[-1]):
            frames[-1].key = token.value
        elif objects and _is_value(token, previous, following, frames[-1]):
            _add_to_object(objects[-1], frames[-1], _literal(token))


def _add_to_object(values: dict[str, Any], frame: _Frame, value: Any) -> None:
    if frame.mark == "{":
        values.setdefault(frame.key, value)
    elif frame.mark == "[" and frame.name:
        items = values.setdefault(frame.name, [])
        if isinstance(items, list):
            items.append(value)
