"""Parameters of one execution, looked through for values that were made from the clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from weakref import WeakKeyDictionary

from .clock import (
    FIRST_STAMP,
    LONGEST_WORD,
    MOMENT_WORDS,
    ClockUse,
    Grain,
    Window,
    find_clock_use,
    may_be_moment,
    reads_as_moment,
)
from .provenance import Provenance
from .recorder import Record

_MOST_CONSTANTS = 4096
_used: dict[int, Any] = {}
"""Objects that statements were given, by identity; one that comes again is a constant."""


def note_clock(record: Record, statement: str, sent: Any, context: Any) -> None:
    """Note where a statement asks for the present moment by one of its parameters.

    `sent` is what the driver was given, which a type of the application's may have made itself.
    """
    if record.clock is not None and record.clock.grain is Grain.INSTANT:
        return
    given = context.compiled_parameters if context.compiled is not None else ()
    moments = [pair for parameters in given for pair in parameters.items() if _is_worth(pair[1])]
    for _, word in moments:
        if type(word) is str and len(word) <= LONGEST_WORD:
            note_word(record, statement, word)
    if not moments and _converts(context.compiled):
        moments = [*_made(sent, given)]
    if moments:
        window = Window.of(record.began, datetime.now(UTC))
        provenance = Provenance(results=record.results, url=record.url_text, constants=_used.keys())
        use = find_clock_use(moments, window, provenance)
        _remember(moments)
        if use is not None:
            record.use_clock(use)


def _is_worth(value: Any) -> bool:
    """Tell whether to look at a value at all; most are small numbers and short texts."""
    kind = type(value)
    if kind is int:
        return bool(value >= FIRST_STAMP)
    if kind is str and len(value) <= LONGEST_WORD:
        return value in MOMENT_WORDS or may_be_moment(value)
    return may_be_moment(value)


def note_word(record: Record, statement: str, word: str) -> None:
    """Note a text such as 'now' where the database reads it as an instant."""
    if reads_as_moment(statement, word):
        what = f"the database reads the text {word!r} as the present moment"
        record.use_clock(ClockUse(what=what, grain=Grain.INSTANT))


_converting: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
"""Whether a statement has a parameter that a type of the application's makes another value of."""


def _converts(compiled: Any) -> bool:
    if compiled is None:
        return True
    known = _converting.get(compiled)
    if known is None:
        kinds = (bind.type for bind in getattr(compiled, "binds", {}).values())
        known = any(_is_foreign(kind) for kind in kinds)
        _converting[compiled] = known
    return known


def _is_foreign(kind: Any) -> bool:
    return type(kind).__module__.partition(".")[0] != "sqlalchemy"


def _made(sent: Any, given: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The moments that the driver is sent although the application gave none."""
    known = {id(value) for parameters in given for value in parameters.values()}
    for parameters in sent if isinstance(sent, list) else [sent]:
        pairs = parameters.items() if isinstance(parameters, Mapping) else enumerate(parameters)
        for name, value in pairs:
            if id(value) not in known and may_be_moment(value):
                yield str(name), value


def _remember(moments: list[tuple[str, Any]]) -> None:
    """Keep these objects, so that their identities are given to no others."""
    for _, value in moments:
        if isinstance(value, date | time | float):
            if len(_used) >= _MOST_CONSTANTS:
                _used.clear()
            _used[id(value)] = value
