"""Parse and write the parts of structured fields (RFC 8941) that caching needs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class Token(str):
    """A token: text that is written without quotes."""

    __slots__ = ()


BareItem = bool | int | float | str | bytes
Item = BareItem | tuple[BareItem, ...]

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
    """The text is not a structured field; the caller ignores the whole field."""


class _Reader:
    """A text with a reading position."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0

    def take(self, form: re.Pattern[str]) -> re.Match[str] | None:
        match = form.match(self.text, self.position)
        self.position = match.end() if match else self.position
        return match

    def skip(self, literal: str) -> bool:
        if not self.text.startswith(literal, self.position):
            return False
        self.position += len(literal)
        return True

    def at_end(self) -> bool:
        return self.position >= len(self.text)


def parse_dictionary(lines: Iterable[str]) -> dict[str, Item] | None:
    """Return the members without their parameters; None if the field is malformed."""
    reader = _Reader(", ".join(lines).strip(" "))
    try:
        return _members(reader)
    except _MalformedError:
        return None


def _members(reader: _Reader) -> dict[str, Item]:
    members: dict[str, Item] = {}
    while not reader.at_end():
        key = _key(reader)
        members.pop(key, None)
        members[key] = _item_or_list(reader) if reader.skip("=") else True
        _parameters(reader)
        reader.take(_OWS)
        if reader.at_end():
            break
        if not reader.skip(","):
            raise _MalformedError
        reader.take(_OWS)
        if reader.at_end():
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
    items: list[BareItem] = []
    while True:
        reader.take(_SPACE)
        if reader.skip(")"):
            return tuple(items)
        items.append(_bare(reader))
        _parameters(reader)
        if not reader.text.startswith((" ", ")"), reader.position):
            raise _MalformedError


def _bare(reader: _Reader) -> BareItem:
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


def format_item(value: BareItem, parameters: Mapping[str, BareItem]) -> str:
    """Write an item and its parameters; replace characters that a string can't contain by `?`."""
    parts = [_format_bare_item(value)]
    for key, argument in parameters.items():
        parts.append(key if argument is True else f"{key}={_format_bare_item(argument)}")
    return "; ".join(parts)


def _format_bare_item(value: BareItem) -> str:
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, Token) and _TOKEN.fullmatch(value):
        return value
    if isinstance(value, str):
        quoted = _UNPRINTABLE.sub("?", value).replace("\\", "\\\\").replace('"', '\\"')
        return f'"{quoted}"'
    return str(value)
