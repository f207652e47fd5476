"""Search the parameters of one execution for values that were computed from the clock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any
from weakref import WeakKeyDictionary

from .clock_values import (
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
from .recorder import RenderRecord

_MAX_CONSTANTS = 4096
_constants: dict[int, Any] = {}
"""Parameter objects of earlier statements by `id`; an object that is used again is a constant."""


def record_clock_use(
    record: RenderRecord, statement: str, driver_parameters: Any, context: Any
) -> None:
    """Record if a parameter of the statement was computed from the current time.

    `driver_parameters` are the values for the driver, which a custom type may have computed.
    """
    if record.clock is not None and record.clock.grain is Grain.INSTANT:
        return
    compiled_parameters = context.compiled_parameters if context.compiled is not None else ()
    moments = [
        pair
        for parameters in compiled_parameters
        for pair in parameters.items()
        if _may_be_clock_value(pair[1])
    ]
    for _, word in moments:
        if type(word) is str and len(word) <= LONGEST_WORD:
            record_clock_word(record, statement, word)
    if not moments and _has_custom_type(context.compiled):
        moments = [*_moments_made_by_types(driver_parameters, compiled_parameters)]
    if moments:
        window = Window.of(record.started_at, datetime.now(UTC))
        provenance = Provenance(
            results=record.results, url=record.url_text, constants=_constants.keys()
        )
        use = find_clock_use(moments, window, provenance)
        _keep_as_constants(moments)
        if use is not None:
            record.use_clock(use)


def _may_be_clock_value(value: Any) -> bool:
    """Return whether a value has to be checked; most are small numbers and short texts."""
    kind = type(value)
    if kind is int:
        return bool(value >= FIRST_STAMP)
    if kind is str and len(value) <= LONGEST_WORD:
        return value in MOMENT_WORDS or may_be_moment(value)
    return may_be_moment(value)


def record_clock_word(record: RenderRecord, statement: str, word: str) -> None:
    """Record if the database parses a text such as 'now' as an instant."""
    if reads_as_moment(statement, word):
        what = f"the database parses the text {word!r} as the current time"
        record.use_clock(ClockUse(what=what, grain=Grain.INSTANT))


_custom_type_statements: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()
"""Whether a statement has a parameter with a custom type, which may compute another value."""


def _has_custom_type(compiled: Any) -> bool:
    if compiled is None:
        return True
    has_custom_type = _custom_type_statements.get(compiled)
    if has_custom_type is None:
        kinds = (bind.type for bind in getattr(compiled, "binds", {}).values())
        has_custom_type = any(_is_foreign(kind) for kind in kinds)
        _custom_type_statements[compiled] = has_custom_type
    return has_custom_type


def _is_foreign(kind: Any) -> bool:
    return type(kind).__module__.partition(".")[0] != "sqlalchemy"


def _moments_made_by_types(
    driver_parameters: Any, compiled_parameters: Iterable[Mapping[str, Any]]
) -> Iterator[tuple[str, Any]]:
    """Yield possible clock values that a custom type added to the application's parameters."""
    value_ids = {id(value) for parameters in compiled_parameters for value in parameters.values()}
    for parameters in (
        driver_parameters if isinstance(driver_parameters, list) else [driver_parameters]
    ):
        pairs = parameters.items() if isinstance(parameters, Mapping) else enumerate(parameters)
        for name, value in pairs:
            if id(value) not in value_ids and may_be_moment(value):
                yield str(name), value


def _keep_as_constants(moments: list[tuple[str, Any]]) -> None:
    """Keep references to these objects, so that no other object gets the same `id`."""
    for _, value in moments:
        if isinstance(value, date | time | float):
            if len(_constants) >= _MAX_CONSTANTS:
                _constants.clear()
            _constants[id(value)] = value
