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

from .query_check import UnshareableQueryError


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledSelect:
    """One SELECT of a statement, as it was written for the database."""

    select: Any
    is_outermost: bool
    is_exists: bool = False
    """Only whether it has rows is asked, not which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledStatement:
    """A statement's SELECTs, and the compiler that knows its parameters and result columns."""

    compiled: SQLCompiler
    selects: tuple[CompiledSelect, ...]


def collect_selects(compiled: SQLCompiler, statement: SelectBase) -> CompiledStatement:
    """The SELECTs of a statement that was compiled; Unreadable when it has none."""
    selects = [part for part in visitors.iterate(statement) if isinstance(part, sa.Select)]
    if selects == [statement] and isinstance(compiled.compile_state, SelectState):
        only = CompiledSelect(select=statement, is_outermost=True)
        return CompiledStatement(compiled=compiled, selects=(only,))
    recompiled = _collecting_compiler(type(compiled))(
        compiled.dialect, compiled.statement, column_keys=compiled.column_keys
    )
    if str(recompiled) != str(compiled):
        raise UnshareableQueryError(f"compiled twice it is not the same: {str(recompiled)[:80]!r}")
    compiled_selects = cast("_SelectCollector", recompiled).selects
    if not compiled_selects:
        raise UnshareableQueryError(f"a {type(statement).__name__} is not understood")
    return CompiledStatement(compiled=recompiled, selects=tuple(compiled_selects))


class _SelectCollector:
    """What a compiler of any dialect does besides, so that its SELECTs can be looked at."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.selects: list[CompiledSelect] = []
        self._select_stack: list[Any] = []
        self._exists_selects: list[Any] = []
        super().__init__(*args, **options)

    def visit_unary(self, unary: Any, **options: Any) -> Any:
        """Note the SELECT right inside an EXISTS."""
        if isinstance(unary, Exists):
            self._exists_selects.append(_select_in(unary.element))
        return super().visit_unary(unary, **options)  # type: ignore[misc]  # the compiler's

    def visit_select(self, select_stmt: Any, *args: Any, **options: Any) -> Any:
        """Know which SELECT the application wrote while the compiler makes its own of it."""
        self._select_stack.append(select_stmt)
        try:
            return super().visit_select(select_stmt, *args, **options)  # type: ignore[misc]  # as above
        finally:
            self._select_stack.pop()

    def _compose_select_body(self, text: str, select: Any, *rest: Any) -> Any:
        source_select = self._select_stack[-1]
        self.selects.append(
            CompiledSelect(
                select=select,
                is_outermost=len(self.stack) == 1,  # type: ignore[attr-defined]  # as above
                is_exists=any(
                    source_select is exists_select for exists_select in self._exists_selects
                ),
            )
        )
        return super()._compose_select_body(text, select, *rest)  # type: ignore[misc]  # as above


def _select_in(element: Any) -> Any:
    """The SELECT that an element is, past brackets; None where it is another thing."""
    while isinstance(inner := getattr(element, "element", None), SelectBase):
        element = inner
    return element if isinstance(element, sa.Select) and not element._distinct else None  # noqa: SLF001 - SQLAlchemy has no public name for it


_collecting_compilers: dict[type, type[SQLCompiler]] = {}


def _collecting_compiler(compiler: type[SQLCompiler]) -> type[SQLCompiler]:
    """A dialect's compiler that lets its SELECTs be looked at."""
    if compiler not in _collecting_compilers:
        _collecting_compilers[compiler] = type(
            f"Observing{compiler.__name__}", (_SelectCollector, compiler), {}
        )
    return _collecting_compilers[compiler]
