"""Parameters of one execution, looked through for values that were made from the clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from .clock import ClockUse, Grain, Window, find_clock_use, may_be_moment, spoken_moment
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
    pairs = [pair for parameters in given for pair in parameters.items()]
    moments = [pair for pair in pairs if may_be_moment(pair[1])] or [*_made(sent, pairs)]
    if moments:
        window = Window.of(record.began, datetime.now(UTC))
        provenance = Provenance(results=record.results, url=record.url_text, constants=_used.keys())
        use = find_clock_use(moments, window, provenance)
        _remember(value for _, value in moments)
        if use is not None:
            record.use_clock(use)
    if spoken := spoken_moment(statement, [value for _, value in pairs]):
        what = f"the database reads the text {spoken!r} as the present moment"
        record.use_clock(ClockUse(what=what, grain=Grain.INSTANT))


def _made(sent: Any, pairs: list[tuple[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The moments that the driver is sent although the application gave none."""
    known = {id(value) for _, value in pairs}
    for parameters in sent if isinstance(sent, list) else [sent]:
        values = (
            parameters.items() if isinstance(parameters, Mapping) else enumerate(parameters or ())
        )
        for name, value in values:
            if id(value) not in known and may_be_moment(value):
                yield str(name), value


def _remember(values: Iterator[Any]) -> None:
    """Keep these objects, so that their identities are given to no others."""
    for value in values:
        if isinstance(value, date | time | float):
            if len(_used) >= _MOST_CONSTANTS:
                _used.clear()
            _used[id(value)] = value
