"""Parse and write the directives of Cache-Control and of targeted fields (RFC 9213).

`Directives.parse` never raises, and if a value is ambiguous it uses the more restrictive meaning.
`Directives.of` builds our own values and raises for a value that can't be sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final, Self, TypeAlias

#: Directives whose argument is a number of seconds.
SECONDS_DIRECTIVES: Final = frozenset(
    {
        "max-age",
        "s-maxage",
        "stale-while-revalidate",
        "stale-if-error",
        "max-stale",
        "min-fresh",
    }
)
#: Directives whose argument, if any, is a list of field names.
FIELD_LIST_DIRECTIVES: Final = frozenset({"no-cache", "private"})
#: Directives without an argument; one that is present is ignored.
FLAG_DIRECTIVES: Final = frozenset(
    {
        "immutable",
        "must-revalidate",
        "must-understand",
        "no-store",
        "no-transform",
        "only-if-cached",
        "proxy-revalidate",
        "public",
    }
)
#: RFC 9111 section 1.2.2: a larger number counts as this one.
MAX_DELTA_SECONDS: Final = 2**31

Argument: TypeAlias = str | int | timedelta | Iterable[str] | bool | None

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ELEMENT: Final = re.compile(r'(?:[^",]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(r'(["\\])')
_BACKSLASHED: Final = r"\\\1"
_CONTROLS: Final = dict.fromkeys((*range(0x20), 0x7F), " ")
_MAX_DIGITS: Final = len(str(MAX_DELTA_SECONDS))


class Directives(Mapping[str, str | None]):
    """An immutable mapping of lower-case directive names to arguments, `None` without one.

    A repeated directive (RFC 9111 section 4.2.1) is merged to its most restrictive meaning: the
    shorter lifetime, the union of field names, the bare `private` over `private="field"`. An
    invalid number makes the lifetime zero, so the response is stale. Of an unknown directive the
    first occurrence is used.
    """

    __slots__ = ("_arguments",)
    _arguments: dict[str, str | None]

    def __init__(self, arguments: Mapping[str, str | None] | None = None) -> None:
        self._arguments = dict(arguments or {})

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Parse the lines of a field; skip elements that are not directives."""
        arguments: dict[str, str | None] = {}
        for line in lines:
            for element in _elements(line.translate(_CONTROLS)):
                _add_directive(arguments, element)
        return cls(arguments)

    @classmethod
    def of(cls, **directives: Argument) -> Self:
        """Build from Python names: `Directives.of(max_age=60, private=["Set-Cookie"])`.

        Seconds are an `int` or a `timedelta` (fractions are truncated), field names a list or a
        string with commas; `True` is a bare directive, `False` and `None` omit it.
        Raises ValueError for a value that no header can contain.
        """
        arguments: dict[str, str | None] = {}
        for name, value in directives.items():
            if value is not None and value is not False:
                directive = name.rstrip("_").replace("_", "-").lower()
                arguments[directive] = _argument(directive, value)
        return cls(arguments)

    def seconds(self, name: str) -> timedelta | None:
        """Return the duration of a directive; zero if it is not a number, None if absent."""
        number = self.delta_seconds(name)
        return None if number is None else timedelta(seconds=number)

    def delta_seconds(self, name: str) -> int | None:
        """Return the same as `seconds` as a number, for arithmetic with epoch seconds."""
        if name not in self._arguments:
            return None
        return _parse_seconds(self._arguments[name]) or 0

    def fields(self, name: str) -> frozenset[str]:
        """Return the lower-case field names to which `private` or `no-cache` is limited.

        Empty if the directive is absent or covers the whole response; see `is_unqualified`.
        """
        if name not in self._arguments:  # the most frequent case, on a hot path
            return frozenset()
        return _field_names(self._arguments[name]) or frozenset()

    def is_unqualified(self, name: str) -> bool:
        """Return whether the directive is present and covers the whole response.

        A field list with an invalid field name counts as the whole response.
        """
        return name in self._arguments and not self.fields(name)

    def replace(self, **directives: Argument) -> Self:
        """Return a copy in which the given directives (as in `of`) are replaced or removed."""
        names = {name.rstrip("_").replace("_", "-").lower() for name in directives}
        remaining = {name: value for name, value in self._arguments.items() if name not in names}
        return type(self)({**remaining, **type(self).of(**directives)})

    def __getitem__(self, name: str) -> str | None:
        return self._arguments[name]

    def __contains__(self, name: object) -> bool:
        return name in self._arguments

    def __iter__(self) -> Iterator[str]:
        return iter(self._arguments)

    def __len__(self) -> int:
        return len(self._arguments)

    def __hash__(self) -> int:
        return hash(frozenset(self._arguments.items()))

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Directives):
            return self._arguments == other._arguments
        return NotImplemented

    def __str__(self) -> str:
        return ", ".join(_format_directive(name, value) for name, value in self._arguments.items())

    def __repr__(self) -> str:
        return f"Directives({str(self)!r})"


def _elements(line: str) -> Iterator[str]:
    """Split at the commas outside quoted strings.

    After an unclosed quote every comma splits, so that the quote can't hide a `no-store`.
    """
    position = 0
    while position < len(line):
        match = _ELEMENT.match(line, position)
        end = match.end() if match else position
        if line[end : end + 1] == '"':
            yield from line[position:].split(",")
            return
        yield line[position:end]
        position = end + 1


def _add_directive(arguments: dict[str, str | None], element: str) -> None:
    before, equals, raw_argument = element.partition("=")
    name = before.strip().lower()
    if not _TOKEN.fullmatch(name):
        return
    value = _parse_argument(raw_argument) if equals else None
    if value is not None and before.endswith(" "):
        # A space before `=` is invalid: the name counts, a number does not.
        value = f" {value}"
    if name in FLAG_DIRECTIVES:
        arguments[name] = None
    elif name in arguments:
        arguments[name] = _most_restrictive(name, arguments[name], value)
    else:
        arguments[name] = value


def _parse_argument(raw_argument: str) -> str:
    """Parse an argument; RFC 9111 section 5.2 allows token and quoted-string for each."""
    stripped = raw_argument.rstrip(" ")
    quoted = _QUOTED.fullmatch(stripped)
    return _ESCAPED.sub(r"\1", quoted[1]) if quoted else stripped


def _most_restrictive(name: str, one: str | None, other: str | None) -> str | None:
    if name in FIELD_LIST_DIRECTIVES:
        if _field_names(one) is None or _field_names(other) is None:
            return None
        return f"{one}, {other}" if _field_names(other) != _field_names(one) else one
    if name not in SECONDS_DIRECTIVES:
        return one
    if name == "max-stale" and (one is None or other is None):
        return one if other is None else other
    choose = max if name == "min-fresh" else min
    return choose(one, other, key=lambda value: _parse_seconds(value) or 0)


def _parse_seconds(argument: str | None) -> int | None:
    """Parse delta-seconds; return None if the argument is invalid."""
    if argument is None or not (argument.isascii() and argument.isdigit()):
        return None
    digits = argument.lstrip("0")
    if len(digits) > _MAX_DIGITS:
        return MAX_DELTA_SECONDS
    return min(int(digits or "0"), MAX_DELTA_SECONDS)


def _field_names(argument: str | None) -> frozenset[str] | None:
    """Return the lower-case names; None if there are none or one is not a field name."""
    names = {name.strip().lower() for name in (argument or "").split(",")} - {""}
    if not names or not all(_TOKEN.fullmatch(name) for name in names):
        return None
    return frozenset(names)


def _argument(name: str, value: Argument) -> str | None:
    """Return the argument as text; raise ValueError if it is invalid."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is not the name of a cache directive.")
    if name in FLAG_DIRECTIVES and value is not True:
        raise ValueError(f"{name} takes no argument; write {name.replace('-', '_')}=True.")
    if value is True:
        if name in SECONDS_DIRECTIVES - {"max-stale"}:
            raise ValueError(f"{name} needs a number of seconds or a timedelta.")
        return None
    if name in SECONDS_DIRECTIVES:
        return _seconds_argument(name, value)
    if name in FIELD_LIST_DIRECTIVES:
        return _fields_argument(name, value)
    return _extension_argument(name, value)


def _seconds_argument(name: str, value: Argument) -> str:
    number = value // timedelta(seconds=1) if isinstance(value, timedelta) else value
    if not isinstance(number, int) or number < 0:
        raise ValueError(f"{name} needs seconds, zero or more, as int or timedelta, not {value!r}.")
    return str(min(number, MAX_DELTA_SECONDS))


def _fields_argument(name: str, value: Argument) -> str:
    if isinstance(value, str):
        value = value.split(",")
    if isinstance(value, int | timedelta) or value is None:
        raise ValueError(f"{name} takes True or a list of field names, not {value!r}.")
    names = ", ".join(field.strip() for field in value)
    if _field_names(names) is None:
        raise ValueError(f"{name} needs field names such as 'Set-Cookie', not {names!r}.")
    return names


def _extension_argument(name: str, value: Argument) -> str:
    if not isinstance(value, str | int):
        raise ValueError(  # noqa: TRY004 - one type of error for all values that can't be sent
            f"{name} takes a string, a number or True, not {value!r}."
        )
    text = str(value)
    if text.translate(_CONTROLS) != text or not text.isascii():
        raise ValueError(f"{name} can't carry {text!r}: only printable ASCII fits in a header.")
    return text


def _format_directive(name: str, value: str | None) -> str:
    if value is None:
        return name
    if name not in FIELD_LIST_DIRECTIVES and _TOKEN.fullmatch(value):
        return f"{name}={value}"
    return f'{name}="{_SPECIAL.sub(_BACKSLASHED, value)}"'
