"""Structured: as much of structured fields (RFC 8941) as caching needs; parsing never raises."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Token(str):
    """A word that is written without quotes."""

    __slots__ = ()


Bare = bool | int | float | str | bytes
Item = Bare | tuple[Bare, ...]

_KEY: Final = re.compile(r"[a-z*][a-z0-9_\-.*]*")
_NUMBER: Final = re.compile(r"-?(?:\d{1,12}\.\d{1,3}|\d{1,15})(?![\d.])", re.ASCII)
_STRING: Final = re.compile(r'"((?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*+)"')
_TOKEN: Final = re.compile(r"[A-Za-z*][!#$%&'*+\-.^_`|~0-9A-Za-z:/]*")
_BYTES: Final = re.compile(r":([A-Za-z0-9+/=]*):")
_BOOLEAN: Final = re.compile(r"\?([01])")
_SPACE: Final = re.compile(r" *")
_OWS: Final = re.compile(r"[ \t]*")
_UNQUOTE: Final = re.compile(r'\\(["\\])')
_UNPRINTABLE: Final = re.compile(r"[^\x20-\x7e]")


class _MalformedError(ValueError):
    """The text is no structured field; the caller ignores the whole field."""


class _Reader:
    """A place in a text, moving forward."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def take(self, form: re.Pattern[str]) -> re.Match[str] | None:
        match = form.match(self.text, self.at)
        self.at = match.end() if match else self.at
        return match

    def skip(self, literal: str) -> bool:
        if not self.text.startswith(literal, self.at):
            return False
        self.at += len(literal)
        return True

    def done(self) -> bool:
        return self.at >= len(self.text)


def dictionary(lines: Iterable[str]) -> dict[str, Item] | None:
    """Return the members without their parameters; None when any of it is malformed."""
    reader = _Reader(", ".join(lines).strip(" "))
    try:
        return _members(reader)
    except _MalformedError:
        return None


def _members(reader: _Reader) -> dict[str, Item]:
    members: dict[str, Item] = {}
    while not reader.done():
        key = _key(reader)
        members.pop(key, None)
        members[key] = _item_or_list(reader) if reader.skip("=") else True
        _parameters(reader)
        reader.take(_OWS)
        if reader.done():
            break
        if not reader.skip(","):
            raise _MalformedError
        reader.take(_OWS)
        if reader.done():
            raise _MalformedError
    return members


def _key(reader: _Reader) -> str:
    match = reader.take(_KEY)
    if not match:
        raise _MalformedError
    return match[0]


def _parameters(reader: _Reader) -> None:
    while reader.skip(";"):
        reader.take(_SPACE)
        _key(reader)
        if reader.skip("="):
            _bare(reader)


def _item_or_list(reader: _Reader) -> Item:
    if not reader.skip("("):
        return _bare(reader)
    items: list[Bare] = []
    while True:
        reader.take(_SPACE)
        if reader.skip(")"):
            return tuple(items)
        items.append(_bare(reader))
        _parameters(reader)
        if not reader.text.startswith((" ", ")"), reader.at):
            raise _MalformedError


def _bare(reader: _Reader) -> Bare:
    if match := reader.take(_NUMBER):
        return float(match[0]) if "." in match[0] else int(match[0])
    if match := reader.take(_STRING):
        return _UNQUOTE.sub(r"\1", match[1])
    if match := reader.take(_TOKEN):
        return Token(match[0])
    if match := reader.take(_BOOLEAN):
        return match[1] == "1"
    if match := reader.take(_BYTES):
        return match[1].encode("ascii")
    raise _MalformedError


def item(value: Bare, parameters: Mapping[str, Bare]) -> str:
    """Write an item and its parameters; what a string can't carry becomes a question mark."""
    parts = [_written(value)]
    for key, argument in parameters.items():
        parts.append(key if argument is True else f"{key}={_written(argument)}")
    return "; ".join(parts)


def _written(value: Bare) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, Token) and _TOKEN.fullmatch(value):
        return value
    if isinstance(value, str):
        quoted = _UNPRINTABLE.sub("?", value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    return str(value)
