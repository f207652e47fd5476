"""Rendered: the SELECTs of a statement as the database gets them.

What an application writes is not yet that. The ORM adds to each SELECT, the inner ones included,
what its mappings and options say: computed columns, the conditions of a subclass, criteria of
loaders. Only the compiler sees it, so a statement of several SELECTs is compiled once more, and
watched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import Exists, SelectBase, SelectState

from .query_check import Unreadable


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One SELECT of a statement, as it was written for the database."""

    select: Any
    outermost: bool
    existing: bool = False
    """Only whether it has rows is asked, not which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A statement's SELECTs, and the compiler that knows its parameters and result columns."""

    compiled: SQLCompiler
    selects: tuple[Written, ...]


def rendered(compiled: SQLCompiler, statement: SelectBase) -> Rendered:
    """The SELECTs of a statement that was compiled; Unreadable when it has none."""
    found = [part for part in visitors.iterate(statement) if isinstance(part, sa.Select)]
    if found == [statement] and isinstance(compiled.compile_state, SelectState):
        only = Written(select=statement, outermost=True)
        return Rendered(compiled=compiled, selects=(only,))
    again = _observing(type(compiled))(
        compiled.dialect, compiled.statement, column_keys=compiled.column_keys
    )
    if str(again) != str(compiled):
        raise Unreadable(f"compiled twice it is not the same: {str(again)[:80]!r}")
    seen = cast("_Observing", again).seen
    if not seen:
        raise Unreadable(f"a {type(statement).__name__} is not understood")
    return Rendered(compiled=again, selects=tuple(seen))


class _Observing:
    """What a compiler of any dialect does besides, so that its SELECTs can be looked at."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.seen: list[Written] = []
        self._asked: list[Any] = []
        self._existing: list[Any] = []
        super().__init__(*args, **options)

    def visit_unary(self, unary: Any, **options: Any) -> Any:
        """Note the SELECT right inside an EXISTS."""
        if isinstance(unary, Exists):
            self._existing.append(_inside(unary.element))
        return super().visit_unary(unary, **options)  # type: ignore[misc]  # the compiler's

    def visit_select(self, select_stmt: Any, *args: Any, **options: Any) -> Any:
        """Know which SELECT the application wrote while the compiler makes its own of it."""
        self._asked.append(select_stmt)
        try:
            return super().visit_select(select_stmt, *args, **options)  # type: ignore[misc]  # as above
        finally:
            self._asked.pop()

    def _compose_select_body(self, text: str, select: Any, *rest: Any) -> Any:
        asked = self._asked[-1]
        self.seen.append(
            Written(
                select=select,
                outermost=len(self.stack) == 1,  # type: ignore[attr-defined]  # as above
                existing=any(asked is known for known in self._existing),
            )
        )
        return super()._compose_select_body(text, select, *rest)  # type: ignore[misc]  # as above


def _inside(element: Any) -> Any:
    """The SELECT that an element is, past brackets; None where it is another thing."""
    while isinstance(inner := getattr(element, "element", None), SelectBase):
        element = inner
    return element if isinstance(element, sa.Select) and not element._distinct else None  # noqa: SLF001 - SQLAlchemy has no public name for it


_observers: dict[type, type[SQLCompiler]] = {}


def _observing(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """A dialect's compiler that lets its SELECTs be looked at."""
    if compiler not in _observers:
        _observers[compiler] = type(f"Observing{compiler.__name__}", (_Observing, compiler), {})
    return _observers[compiler]
