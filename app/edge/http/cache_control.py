"""Directives: what a Cache-Control field, or a targeted one (RFC 9213), says.

Law: `Directives.parse` never raises, and in doubt reads the more restrictive meaning.
`Directives.of` is for our own words and refuses what could not be sent.
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
#: Directives that are there or not; an argument changes nothing.
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
#: RFC 9111 section 1.2.2: what is larger counts as this much.
MAX_DELTA_SECONDS: Final = 2**31

Argument: TypeAlias = str | int | timedelta | Iterable[str] | bool | None

_TOKEN: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_ELEMENT: Final = re.compile(r'(?:[^",]++|"[^"\\]*+(?:\\.[^"\\]*+)*+")*+', re.DOTALL)
_QUOTED: Final = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_SPECIAL: Final = re.compile(r'(["\\])')
_BACKSLASHED: Final = r"\\\1"
_CONTROLS: Final = dict.fromkeys((*range(0x20), 0x7F), " ")
_DIGITS_OF_LONGEST: Final = len(str(MAX_DELTA_SECONDS))


class Directives(Mapping[str, str | None]):
    """An immutable mapping of lower-case directive name to its argument, `None` for a bare one.

    A directive that comes more than once (RFC 9111 section 4.2.1) counts once, with its most
    restrictive meaning: the shorter lifetime, the union of field names, the bare `private` over
    `private="field"`. A number that is none makes the lifetime zero, so the response is stale.
    Of an unknown directive the first occurrence counts.
    """

    __slots__ = ("_arguments",)
    _arguments: dict[str, str | None]

    def __init__(self, arguments: Mapping[str, str | None] | None = None) -> None:
        self._arguments = dict(arguments or {})

    @classmethod
    def parse(cls, lines: Iterable[str]) -> Self:
        """Read the field's lines, whatever they hold; what is no directive is left out."""
        arguments: dict[str, str | None] = {}
        for line in lines:
            for element in _elements(line.translate(_CONTROLS)):
                _add_directive(arguments, element)
        return cls(arguments)

    @classmethod
    def of(cls, **directives: Argument) -> Self:
        """Build from Python names: `Directives.of(max_age=60, private=["Set-Cookie"])`.

        Seconds are an `int` or a `timedelta` (fractions are cut off), field names a list or a
        string with commas; `True` is a bare directive, `False` and `None` leave it out.
        Raises ValueError for what no header could say.
        """
        arguments: dict[str, str | None] = {}
        for name, value in directives.items():
            if value is not None and value is not False:
                directive = name.rstrip("_").replace("_", "-").lower()
                arguments[directive] = _argument(directive, value)
        return cls(arguments)

    def seconds(self, name: str) -> timedelta | None:
        """Return the directive's span; zero when its argument is no number, None when absent."""
        number = self.delta_seconds(name)
        return None if number is None else timedelta(seconds=number)

    def delta_seconds(self, name: str) -> int | None:
        """Return what `seconds` returns as a plain number, for arithmetic with epoch seconds."""
        if name not in self._arguments:
            return None
        return _parse_seconds(self._arguments[name]) or 0

    def fields(self, name: str) -> frozenset[str]:
        """Return the lower-case field names a `private` or `no-cache` is limited to.

        Empty when the directive is absent or speaks of the whole response; `whole` tells which.
        """
        if name not in self._arguments:  # nearly always, and asked many times
            return frozenset()
        return _field_names(self._arguments[name]) or frozenset()

    def is_unqualified(self, name: str) -> bool:
        """Tell whether the directive is there and speaks of the whole response.

        A field list with something in it that is no field name counts as the whole response.
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

    After a quote that is never closed every comma splits, so that it can't hide a `no-store`.
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
        # No space belongs there: the name is believed, a number is not.
        value = f" {value}"
    if name in FLAG_DIRECTIVES:
        arguments[name] = None
    elif name in arguments:
        arguments[name] = _most_restrictive(name, arguments[name], value)
    else:
        arguments[name] = value


def _parse_argument(raw_argument: str) -> str:
    """Return the argument; RFC 9111 section 5.2 accepts token and quoted-string for each."""
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
    """Return delta-seconds; None when the argument is none."""
    if argument is None or not (argument.isascii() and argument.isdigit()):
        return None
    digits = argument.lstrip("0")
    if len(digits) > _DIGITS_OF_LONGEST:
        return MAX_DELTA_SECONDS
    return min(int(digits or "0"), MAX_DELTA_SECONDS)


def _field_names(argument: str | None) -> frozenset[str] | None:
    """Return the lower-case names; None when there are none or one of them can't be a name."""
    names = {name.strip().lower() for name in (argument or "").split(",")} - {""}
    if not names or not all(_TOKEN.fullmatch(name) for name in names):
        return None
    return frozenset(names)


def _argument(name: str, value: Argument) -> str | None:
    """Return the argument as text, or say what is wrong with it."""
    if not _TOKEN.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a cache directive.")
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
        raise ValueError(  # noqa: TRY004 - one kind of error for whatever can't be sent
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
